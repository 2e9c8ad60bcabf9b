/// The changes of a group that a device makes without a request of the user: it commits other members' proposals, and renews its
/// own keys.
struct CommitPolicy {
    var memberCount: Int
    /// Whether a renewal of keys or a commit of proposals is already pending.
    var isChanging: Bool
    /// Whether there are proposals of other members that have to be committed.
    var othersPropose: Bool
    /// Whether the outbox has anything other than a proposal to leave. Such content is encrypted only after all proposals were
    /// committed and this device has renewed its keys.
    var wantsToSend: Bool
    /// Whether this device has renewed its keys after it joined.
    var hasRenewed: Bool
    /// Whether ``RenewalPolicy`` demands another renewal.
    var isRenewalDue: Bool

    /// The wait before a proposal is committed, in milliseconds: a fixed part, and a random part that is less than `random`.
    /// Because of the random part, one member usually commits before the others, and they see that commit in time.
    private static let delayMs: (least: UInt64, random: UInt64) = (200, 1_800)

    /// Returns the change that has to be made now; `nil` if there is none.
    ///
    /// - Parameters:
    ///   - now: the current time, in milliseconds; see ``Clocks/now``.
    ///   - commitAt: the time at which this device commits other members' proposals; `nil` until this function has chosen that
    ///     time. The caller stores the time between calls.
    ///   - random: returns a random number that is less than its argument.
    func change(now: UInt64, commitAt: inout UInt64?, random: (UInt64) -> UInt64) -> Intent.Change? {
        guard !isChanging, memberCount > 1 else { return nil }
        if othersPropose, commitAt == nil {
            commitAt = now + Self.delayMs.least + random(Self.delayMs.random)
        }
        let isTime = commitAt.map { $0 <= now } ?? false
        if isTime { commitAt = nil }
        if othersPropose, wantsToSend || isTime { return .commitProposals }
        return (hasRenewed ? isRenewalDue : wantsToSend) ? .renew : nil
    }
}
