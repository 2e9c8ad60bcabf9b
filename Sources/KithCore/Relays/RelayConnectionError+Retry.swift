import KithWire

extension RelayConnectionError {
    /// Whether a further attempt will probably fail in the same way. The result is `true` if the relay has a wrong key, refuses
    /// the connection, for example because of a wrong pass, or breaks the protocol.
    var isLasting: Bool {
        switch self {
        case .pinMismatch, .turnedAway, .protocolViolation: true
        default: false
        }
    }

    /// Whether only the user can resolve the refusal. Either the server at the relay's address has another key, or the relay
    /// requires another pass.
    package func isFinal(for relay: RelayPoint) -> Bool {
        switch self {
        case .pinMismatch(let expected, _): expected == relay.pin
        case .turnedAway(let error): error.code == .passRequired
        default: false
        }
    }

    /// Whether the relay with the expected key was not found at the address. Either nothing has answered, or a server with
    /// another key has answered.
    package var isAboutAddress: Bool {
        switch self {
        case .unreachable, .pinMismatch, .notARelay: true
        default: false
        }
    }
}
