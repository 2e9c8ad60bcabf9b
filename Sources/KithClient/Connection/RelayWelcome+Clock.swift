import KithCore

extension RelayWelcome {
    /// Milliseconds by which this device's clock is ahead of the relay's. The value is correct only if it is read as soon as the
    /// welcome has arrived.
    package var clockLeadMs: Int64 { Profile.now.lead(over: timeMs) }
}
