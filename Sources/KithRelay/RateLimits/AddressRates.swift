/// Limits on the connections of one address together, or of one site.
final class AddressRates: Sendable {
    /// Requests, beside the rate of each connection.
    let requests: SharedBucket
    /// New connections. An allowance of its own: one machine that asks too much does not keep its neighbours from coming.
    let arrivals: SharedBucket
    /// Places for large messages that have not come whole.
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

/// The rates that a connection's costs are charged to: its address's and its site's.
struct SourceRates: Sendable {
    let own: AddressRates
    var site: AddressRates?

    /// Charges for requests, whether their rate allows them or not. Returns after how many nanoseconds one more may come; 0
    /// for now.
    @discardableResult
    func charge(_ count: Int, atNanoseconds now: Int64) -> Int64 {
        max(
            own.requests.charge(count, atNanoseconds: now), site?.requests.charge(count, atNanoseconds: now) ?? 0)
    }

    /// Takes a place for a large message, of the address and of its site. Returns whether both had one.
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

    /// Whether a new connection may come. If so, it is charged for.
    func mayArrive(atNanoseconds now: Int64) -> Bool {
        guard own.arrivals.wait(atNanoseconds: now) == 0, site?.arrivals.wait(atNanoseconds: now) ?? 0 == 0 else {
            return false
        }
        own.arrivals.charge(1, atNanoseconds: now)
        site?.arrivals.charge(1, atNanoseconds: now)
        return true
    }
}
