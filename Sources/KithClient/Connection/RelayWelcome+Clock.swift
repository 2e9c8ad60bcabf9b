import KithCore

extension RelayWelcome {
    /// Lead of this device's clock over the relay's, in milliseconds, if the relay has answered just now.
    package var clockLeadMs: Int64 { Profile.now.lead(over: timeMs) }
}
