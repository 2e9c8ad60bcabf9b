extension RelayConnectionError {
    /// Whether another attempt is likely to fail in the same way: the relay's key or the pass is wrong, or the relay breaks the
    /// protocol.
    var isLasting: Bool {
        switch self {
        case .pinMismatch, .turnedAway, .protocolViolation: true
        default: false
        }
    }
}
