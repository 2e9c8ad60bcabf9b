import KithWire

extension RelayConnectionError {
    /// Whether a further attempt will probably fail in the same way. The result is `true` if the relay has a wrong key, if it
    /// refuses the connection (for example because of a wrong pass), or if it breaks the protocol.
    var isLasting: Bool {
        switch self {
        case .pinMismatch, .turnedAway, .protocolViolation: true
        default: false
        }
    }

    /// Whether only the user can resolve the problem. This is so if the server at the relay's address has another key, or if
    /// the relay requires another pass.
    package func isFinal(for relay: RelayPoint) -> Bool {
        switch self {
        case .pinMismatch(let expected, _): expected == relay.pin
        case .turnedAway(let error): error.code == .passRequired
        default: false
        }
    }

    /// Whether the problem is the relay's address. Either nothing answers at the address, or the server there is not a relay or
    /// has another key.
    package var isAboutAddress: Bool {
        switch self {
        case .unreachable, .pinMismatch, .notARelay: true
        default: false
        }
    }
}
