/// Limits that the connections of one address, or of one site, share.
final class AddressRates: Sendable {
    /// Requests, in addition to the rate of each connection.
    let requests: SharedBucket
    /// New connections. They have an allowance of their own, so that one machine with too many requests does not keep
    /// its neighbours from connecting.
    let arrivals: SharedBucket
    /// Slots for large incomplete messages.
    let largeInputs: SlotPool

    init(_ limits: RelayLimits, times factor: Int = 1) {
        let (burst, perSecond) = (limits.addressRequestBurst * factor, limits.addressRequestsPerSecond * factor)
        requests = SharedBucket(burst: burst, perSecond: perSecond)
        arrivals = SharedBucket(
            burst: max(1, burst / RelayLimits.arrivalCost), perSecond: max(1, perSecond / RelayLimits.arrivalCost))
        largeInputs = SlotPool(RelayLimits.largeInputsPerAddress * factor)
    }

    func owesNothing(atNanoseconds now: Int64) -> Bool {
        requests.isFull(atNanoseconds: now) && arrivals.isFull(atNanoseconds: now)
    }
}

/// The rates that a connection's costs are charged to: those of its address and its site.
struct SourceRates: Sendable {
    let own: AddressRates
    var site: AddressRates?

    /// Charges for requests, whether the rates allow them or not. Returns the wait until the next request is allowed,
    /// in nanoseconds; 0 for none.
    @discardableResult
    func charge(_ count: Int, atNanoseconds now: Int64) -> Int64 {
        max(
            own.requests.charge(count, atNanoseconds: now), site?.requests.charge(count, atNanoseconds: now) ?? 0)
    }

    /// Takes a slot for a large message, of the address and of its site. Returns whether both had a free one.
    func takeLargeInput() -> Bool {
        guard own.largeInputs.take() else { return false }
        guard let site, !site.largeInputs.take() else { return true }
        own.largeInputs.giveBack()
        return false
    }

    func giveLargeInputBack() {
        own.largeInputs.giveBack()
        site?.largeInputs.giveBack()
    }

    /// Charges for a new connection and returns `true`, or returns `false` if the rates do not allow one.
    func mayArrive(atNanoseconds now: Int64) -> Bool {
        guard own.arrivals.wait(atNanoseconds: now) == 0, site?.arrivals.wait(atNanoseconds: now) ?? 0 == 0 else {
            return false
        }
        own.arrivals.charge(1, atNanoseconds: now)
        site?.arrivals.charge(1, atNanoseconds: now)
        return true
    }
}
