import KithWire

extension RelayConnectionError {
    /// Whether another attempt will probably fail in the same way, because the relay's key or the pass is wrong, or because the
    /// relay breaks the protocol.
    var isLasting: Bool {
        switch self {
        case .pinMismatch, .turnedAway, .protocolViolation: true
        default: false
        }
    }

    /// Whether only the user can resolve the refusal: the relay's address has another key, or the relay requires another pass.
    package func isFinal(for relay: RelayPoint) -> Bool {
        switch self {
        case .pinMismatch(let expected, _): expected == relay.pin
        case .turnedAway(let error): error.code == .passRequired
        default: false
        }
    }

    /// Whether the relay with the expected key was not found at the address: there was no answer, or another key.
    package var isAboutAddress: Bool {
        switch self {
        case .unreachable, .pinMismatch, .notARelay: true
        default: false
        }
    }
}
