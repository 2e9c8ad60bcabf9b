extension RelayConnectionError {
    /// Whether another attempt will probably fail in the same way, because the relay's key or the pass is wrong, or because the
    /// relay breaks the protocol.
    var isLasting: Bool {
        switch self {
        case .pinMismatch, .turnedAway, .protocolViolation: true
        default: false
        }
    }
}
