import KithWire

/// The relays that a profile knows, and the state of each connection.
struct RelayDirectory {
    private var points: [RelayID: RelayPoint] = [:]
    /// The relays that are connected now.
    private var links: Set<RelayID> = []
    /// The connected relays that had no room for the last request that needed some.
    private var full: Set<RelayID> = []
    /// The relays to keep connections to.
    private var wanted: Set<RelayID> = []

    // MARK: Reading

    subscript(_ id: RelayID) -> RelayPoint? { points[id] }

    /// All relays, by number.
    var sorted: [(id: RelayID, point: RelayPoint)] { points.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// The relays that are connected now, by number.
    var connected: [RelayID] { links.sorted() }

    func isConnected(_ id: RelayID) -> Bool { links.contains(id) }

    /// The number of a known relay, by its address and key.
    func known(_ point: RelayPoint) -> RelayID? {
        points.first { $0.value.address == point.address && $0.value.pin == point.pin }?.key
    }

    // MARK: Numbers

    /// Adds a relay from the store.
    mutating func load(_ id: RelayID, _ point: RelayPoint) { points[id] = point }

    /// The number of a relay that the user named. Its pass replaces the one that is known.
    mutating func id(given point: RelayPoint, in step: inout Step) -> RelayID {
        if let id = known(point), point.pass != nil, points[id]?.pass != point.pass {
            remember(point, as: id, in: &step)
        }
        return id(for: point, in: &step)
    }

    /// The number of a relay in an invite that the user opened. Its pass is used if the relay is known without one.
    mutating func id(opened point: RelayPoint, in step: inout Step) -> RelayID {
        if let id = known(point), point.pass != nil, points[id]?.pass == nil { remember(point, as: id, in: &step) }
        return id(for: point, in: &step)
    }

    /// The number of a relay that a letter or a contact card names. A new relay is stored and connected to. A known relay keeps
    /// its pass, or has none as before.
    ///
    /// - Parameter isWanted: whether to connect to a known relay.
    mutating func id(for point: RelayPoint, isWanted: Bool = true, in step: inout Step) -> RelayID {
        if let id = known(point) {
            if isWanted { keepConnected(to: id, in: &step) }
            return id
        }
        let id = step.numbers.nextRelay()
        remember(point, as: id, in: &step)
        keepConnected(to: id, in: &step)
        return id
    }

    /// Changes the pass of a known relay.
    ///
    /// - Throws: ``KithError/notFound(_:)``.
    mutating func setPass(_ point: RelayPoint, in step: inout Step) throws(KithError) {
        guard known(point) != nil else { throw .notFound("\(point.address)") }
        _ = id(given: point, in: &step)
    }

    private mutating func remember(_ point: RelayPoint, as id: RelayID, in step: inout Step) {
        points[id] = point
        step.put(StoreKey(.relay, item: id.rawValue), point.encoded)
        if wanted.contains(id) { step.connect(id, point) }
    }

    // MARK: Connections

    /// Keeps a connection to a relay from now on.
    mutating func keepConnected(to id: RelayID, in step: inout Step) {
        guard let point = points[id], wanted.insert(id).inserted else { return }
        step.connect(id, point)
    }

    /// A connection is up.
    ///
    /// - Returns: whether the connection is wanted.
    mutating func didConnect(_ id: RelayID) -> Bool {
        guard wanted.contains(id) else { return false }
        links.insert(id)
        return true
    }

    /// A connection is over.
    mutating func didDisconnect(_ id: RelayID) {
        links.remove(id)
        full.remove(id)
    }

    /// A relay answered a request that takes space.
    ///
    /// - Returns: the relay's state, if it has just run out of room or has room again.
    mutating func noteRoom(at id: RelayID, _ result: Result<Reply, RelayError>) -> RelayState? {
        switch result {
        case .success: return full.remove(id) != nil ? .connected : nil
        // With a number, only one inbox is full.
        case .failure(let error) where error.code == .full && error.detail == 0:
            return full.insert(id).inserted ? .full : nil
        case .failure: return nil
        }
    }
}
