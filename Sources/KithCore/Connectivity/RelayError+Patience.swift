import KithWire

extension RelayError.Code {
    /// Whether the same request may be answered otherwise after a while.
    var isPassing: Bool {
        switch self {
        case .tooFast, .tooMany, .full, .unavailable: true
        default: false
        }
    }
}

extension RelayError {
    /// The wait before another try, in milliseconds.
    var patienceMs: UInt64 { retryAfterMs > 0 ? UInt64(retryAfterMs) : Self.leastPatienceMs }

    /// The first pause where a relay names none, in milliseconds.
    static let leastPatienceMs: UInt64 = 2_000
}
