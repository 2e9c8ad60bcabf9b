/// The rule for depositing fresh key packages at an inbox's relay.
struct DepositPolicy {
    /// The time of the device's clock, in milliseconds since 1970.
    var wall: UInt64
    /// The time of the last deposit, in milliseconds since 1970; 0 if there was none.
    var depositedAt: UInt64
    /// Whether a deposit still has to be made, because the relay was not connected or has not accepted the last deposit.
    var isOwed: Bool
    /// Whether a deposit was postponed because the device's clock or the relay's clock seems wrong.
    var isHeld: Bool
    /// Whether the last deposit still waits for the relay's answer.
    var isUnderWay: Bool
    /// Whether the relay asked for a pause.
    var isPaused: Bool
    /// Whether the invite was used or has expired.
    var isOver: Bool

    /// The milliseconds until new key packages are due at the relay; 0 if a deposit was postponed.
    private var rest: UInt64 { isHeld ? 0 : wall.rest(of: ClientLimits.depositMs, since: depositedAt) }

    /// Whether to make a deposit when the inbox is opened at its relay.
    var isDueAtOpening: Bool { !isOver && (isOwed || depositedAt == 0 || rest == 0) }

    /// Whether to make a deposit while the relay is connected. Before the first deposit, this is `false`: the client makes the
    /// first deposit when it opens the inbox.
    var isDueWhileOpen: Bool { depositedAt > 0 && !isPaused && !isOver && rest == 0 }

    /// Returns the milliseconds until the next deposit; `nil` if no time is planned for a deposit. If the device's clock is in
    /// doubt, returns the milliseconds until the clocks are compared again.
    ///
    /// - Parameter isClockDoubtful: returns `true` if the device's clock differs too much from the relay's clock. With a wrong
    ///   clock, new key packages would have wrong dates.
    func delay(isClockDoubtful: @autoclosure () -> Bool) -> UInt64? {
        guard depositedAt > 0, !isUnderWay, !isPaused, !isOver else { return nil }
        return isClockDoubtful() ? ClientLimits.clockRecheckMs : rest
    }
}
