/// The rates and slots that all connections of one address or of one site share.
final class AddressRates: Sendable {
    /// The rate of requests. This rate applies in addition to the rate of each connection.
    let requests: SharedBucket
    /// The rate of new connections. This rate is separate from ``requests``: a machine with too many requests must not keep its
    /// neighbours from connecting.
    let arrivals: SharedBucket
    /// Slots for large messages that are still incomplete.
    let largeInputs: SlotPool
    /// Slots for connections that transfer blobs.
    let transfers: SlotPool

    init(_ limits: RelayLimits, times factor: Int = 1) {
        let (burst, perSecond) = (limits.addressRequestBurst * factor, limits.addressRequestsPerSecond * factor)
        requests = SharedBucket(burst: burst, perSecond: perSecond)
        arrivals = SharedBucket(
            burst: max(1, burst / RelayLimits.arrivalCost), perSecond: max(1, perSecond / RelayLimits.arrivalCost))
        largeInputs = SlotPool(RelayLimits.largeInputsPerAddress * factor)
        transfers = SlotPool(BlobLimits.transfersPerAddress * factor)
    }

    func owesNothing(atNanoseconds now: Int64) -> Bool {
        requests.isFull(atNanoseconds: now) && arrivals.isFull(atNanoseconds: now)
    }
}

/// The rates to which a connection's costs are charged: the rates of its address and the rates of its site.
struct SourceRates: Sendable {
    let own: AddressRates
    var site: AddressRates?

    /// Charges for requests, even if a rate is used up. Returns the nanoseconds until the next request is allowed; 0 if a request
    /// is allowed now.
    @discardableResult
    func charge(_ count: Int, atNanoseconds now: Int64) -> Int64 {
        max(
            own.requests.charge(count, atNanoseconds: now), site?.requests.charge(count, atNanoseconds: now) ?? 0)
    }

    /// Takes one slot from the address's pool and one slot from the site's pool. If a pool has no free slot, returns `false` and
    /// takes no slot.
    private func take(_ pool: KeyPath<AddressRates, SlotPool>) -> Bool {
        guard own[keyPath: pool].take() else { return false }
        guard let site, !site[keyPath: pool].take() else { return true }
        own[keyPath: pool].giveBack()
        return false
    }

    private func giveBack(_ pool: KeyPath<AddressRates, SlotPool>) {
        own[keyPath: pool].giveBack()
        site?[keyPath: pool].giveBack()
    }

    /// Takes a slot for a large message. Returns whether a slot was free.
    func takeLargeInput() -> Bool { take(\.largeInputs) }

    func giveLargeInputBack() { giveBack(\.largeInputs) }

    /// Takes a slot for a connection that transfers blobs. Returns whether a slot was free.
    func takeTransfer() -> Bool { take(\.transfers) }

    func giveTransferBack() { giveBack(\.transfers) }

    /// Charges for a new connection and returns `true` if the rates allow the connection now; otherwise charges nothing and
    /// returns `false`.
    func mayArrive(atNanoseconds now: Int64) -> Bool {
        guard own.arrivals.wait(atNanoseconds: now) == 0, site?.arrivals.wait(atNanoseconds: now) ?? 0 == 0 else {
            return false
        }
        own.arrivals.charge(1, atNanoseconds: now)
        site?.arrivals.charge(1, atNanoseconds: now)
        return true
    }
}
