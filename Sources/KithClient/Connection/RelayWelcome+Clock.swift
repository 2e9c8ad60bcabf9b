import KithCore

extension RelayWelcome {
    /// Milliseconds by which this device's clock is ahead of the relay's. Valid only directly after the relay's answer.
    package var clockLeadMs: Int64 { Profile.now.lead(over: timeMs) }
}
