import KithWire

/// The relays that a profile knows, and the states of the connections to them.
struct RelayDirectory {
    private var points: [RelayID: RelayPoint] = [:]
    /// The relays that are connected now.
    private var links: Set<RelayID> = []
    /// The connected relays that are full. A relay is full if it has refused the latest request to store something new.
    private var full: Set<RelayID> = []
    /// The relays to which the profile keeps a connection.
    private var keptConnected: Set<RelayID> = []

    // MARK: Reading

    subscript(_ id: RelayID) -> RelayPoint? { points[id] }

    /// All relays, sorted by id.
    var sorted: [(id: RelayID, point: RelayPoint)] { points.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// The relays that are connected now, sorted by id.
    var connected: [RelayID] { links.sorted() }

    func isConnected(_ id: RelayID) -> Bool { links.contains(id) }

    /// Returns the id of the known relay with this address and key; `nil` if there is none.
    func known(_ point: RelayPoint) -> RelayID? {
        points.first { $0.value.address == point.address && $0.value.pin == point.pin }?.key
    }

    // MARK: Numbers

    /// Adds a relay from the store.
    mutating func load(_ id: RelayID, _ point: RelayPoint) { points[id] = point }

    /// Returns the id of a relay that the user has named. A pass from the user replaces the stored pass of the relay.
    mutating func id(given point: RelayPoint, in step: inout Step) -> RelayID {
        if let id = known(point), point.pass != nil, points[id]?.pass != point.pass {
            remember(point, as: id, in: &step)
        }
        return id(for: point, in: &step)
    }

    /// Returns the id of the relay in an invite that the user has opened. The pass in the invite is used only if the profile has
    /// no pass for the relay.
    mutating func id(opened point: RelayPoint, in step: inout Step) -> RelayID {
        if let id = known(point), point.pass != nil, points[id]?.pass == nil { remember(point, as: id, in: &step) }
        return id(for: point, in: &step)
    }

    /// Returns the id of a relay that a letter or a contact card names. If the relay is new, the client stores the relay and
    /// connects to it. The pass of a known relay is not changed.
    ///
    /// - Parameter isWanted: whether the client should also connect to a known relay.
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
    /// - Throws: ``KithError/notFound(_:)`` if the relay is unknown.
    mutating func setPass(_ point: RelayPoint, in step: inout Step) throws(KithError) {
        guard known(point) != nil else { throw .notFound("\(point.address)") }
        _ = id(given: point, in: &step)
    }

    private mutating func remember(_ point: RelayPoint, as id: RelayID, in step: inout Step) {
        points[id] = point
        step.put(StoreKey(.relay, item: id.rawValue), point.encoded)
        if keptConnected.contains(id) { step.connect(id, point) }
    }

    // MARK: Connections

    /// Keeps the profile connected to a relay from now on.
    mutating func keepConnected(to id: RelayID, in step: inout Step) {
        guard let point = points[id], keptConnected.insert(id).inserted else { return }
        step.connect(id, point)
    }

    /// Notes that a connection has been made.
    ///
    /// - Returns: whether the profile needs the connection.
    mutating func didConnect(_ id: RelayID) -> Bool {
        guard keptConnected.contains(id) else { return false }
        links.insert(id)
        return true
    }

    /// Notes that a connection has ended.
    mutating func didDisconnect(_ id: RelayID) {
        links.remove(id)
        full.remove(id)
    }

    /// Notes whether a relay has room for new data.
    ///
    /// - Parameter result: the relay's answer to a request that stores something new.
    /// - Returns: the relay's new state if the relay has just run out of room or has room again; `nil` if nothing has changed.
    mutating func noteRoom(at id: RelayID, _ result: Result<Reply, RelayError>) -> RelayState? {
        switch result {
        case .success: return full.remove(id) != nil ? .connected : nil
        // If the error has a size, only one inbox is full, and not the relay.
        case .failure(let error) where error.code == .full && error.detail == 0:
            return full.insert(id).inserted ? .full : nil
        case .failure: return nil
        }
    }
}
