/// The changes of a group that a device makes unasked: it commits others' proposals, and renews its own keys.
struct CommitPolicy {
    var memberCount: Int
    /// Whether such a change is pending already.
    var isChanging: Bool
    /// Whether proposals of others wait for a commit.
    var othersPropose: Bool
    /// Whether something waits to be sent. It is encrypted only after proposals were committed and this device has renewed its
    /// keys.
    var wantsToSend: Bool
    /// Whether this device has renewed its keys since it joined.
    var hasRenewed: Bool
    /// Whether ``RenewalPolicy`` asks for another renewal.
    var isRenewalDue: Bool

    /// The wait before a proposal is committed, in milliseconds: a minimum and the range of a random addition. The random part
    /// lets one member commit first, and the others see that commit.
    private static let patienceMs: (least: UInt64, random: UInt64) = (200, 1_800)

    /// The change to make now; `nil` if there is none.
    ///
    /// - Parameters:
    ///   - now: the time in milliseconds; see ``Clocks/now``.
    ///   - commitAt: the latest time to commit others' proposals. The caller keeps it between calls.
    ///   - random: returns a random number below its argument.
    func change(now: UInt64, commitAt: inout UInt64?, random: (UInt64) -> UInt64) -> Intent.Change? {
        guard !isChanging, memberCount > 1 else { return nil }
        if othersPropose, commitAt == nil {
            commitAt = now + Self.patienceMs.least + random(Self.patienceMs.random)
        }
        let isTime = commitAt.map { $0 <= now } ?? false
        if isTime { commitAt = nil }
        if othersPropose, wantsToSend || isTime { return .commitProposals }
        return (hasRenewed ? isRenewalDue : wantsToSend) ? .renew : nil
    }
}
