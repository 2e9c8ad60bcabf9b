import KithCore

extension RelayWelcome {
    /// Milliseconds by which this device's clock is ahead of the relay's clock. Read this value as soon as the welcome has
    /// arrived: a later value is too high.
    package var clockLeadMs: Int64 { Profile.now.lead(over: timeMs) }
}
