import KithWire

extension RelayError.Code {
    /// Whether the same request might succeed later after it was refused with this code.
    var isPassing: Bool {
        switch self {
        case .tooFast, .tooMany, .full, .unavailable: true
        default: false
        }
    }
}

extension RelayError {
    /// The pause before another attempt, in milliseconds.
    var retryDelayMs: UInt64 { retryAfterMs > 0 ? UInt64(retryAfterMs) : Self.defaultRetryMs }

    /// The first pause before another attempt, in milliseconds. This pause is used if the relay states no pause.
    static let defaultRetryMs: UInt64 = 2_000
}
