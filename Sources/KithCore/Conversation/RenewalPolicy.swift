import MLS

/// The rule for renewing a member's keys in a group: the keys are due after 7 days if there was at least one entry in that
/// time, and in any case after 1,000 entries. Both limits are somewhat higher for most leaves and differ from leaf to leaf, so
/// that members do not all commit at the same time.
struct RenewalPolicy {
    /// The time of the device's clock, in milliseconds since 1970.
    let wall: UInt64

    /// Maximum difference between the delays of two members, in milliseconds.
    private static let spreadMs: UInt64 = 24 * hourMs
    private static let hourMs: UInt64 = 3_600_000
    /// Maximum difference between the limits of two members, in entries.
    private static let spreadEntries: UInt32 = 200

    /// Whether a member's keys are due for renewal.
    ///
    /// - Parameters:
    ///   - renewedAt: the time of the last renewal by the device's clock, in milliseconds since 1970.
    ///   - entriesSince: the number of the group's entries since the last renewal.
    func isDue(renewedAt: UInt64, entriesSince: Int, leaf: LeafIndex) -> Bool {
        guard entriesSince > 0 else { return false }
        let spread = UInt64(leaf.rawValue % 24) * Self.hourMs
        return delay(renewedAt: renewedAt, spread: spread) == 0
            || entriesSince > ClientLimits.renewalEntries + Int(leaf.rawValue % Self.spreadEntries)
    }

    /// Returns the milliseconds from now until a member's keys are due for renewal, if the member's leaf has the longest delay
    /// of all leaves.
    func latestDelay(renewedAt: UInt64) -> UInt64 { delay(renewedAt: renewedAt, spread: Self.spreadMs) }

    private func delay(renewedAt: UInt64, spread: UInt64) -> UInt64 {
        wall.rest(of: ClientLimits.renewalMs + spread, since: renewedAt)
    }
}
