/// The changes of a group that a device makes without having been asked: it commits what others proposed, and renews its own keys.
struct CommitPolicy {
    /// The number of members.
    var memberCount: Int
    /// Whether such a change waits already.
    var isChanging: Bool
    /// Whether others' proposals wait for a commit.
    var othersPropose: Bool
    /// Whether something waits to be sent: it is encrypted after the proposals were committed, and with keys of this device's own.
    var wantsToSend: Bool
    /// Whether this device has renewed its keys since it joined.
    var hasRenewed: Bool
    /// Whether ``RenewalPolicy`` asks for another renewal.
    var isRenewalDue: Bool

    /// The least time that a proposal waits for the member who commits it, in milliseconds, and the range of what is added at
    /// random: one of the members is first, and the others see its commit.
    private static let patienceMs: (least: UInt64, random: UInt64) = (200, 1_800)

    /// The change to make now; `nil` if there is none.
    ///
    /// - Parameters:
    ///   - now: the time that nobody sets, in milliseconds.
    ///   - commitAt: when to commit others' proposals at the latest; kept between calls.
    ///   - random: a random number below its argument.
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
