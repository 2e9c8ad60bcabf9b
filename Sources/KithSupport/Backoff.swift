/// Random pauses between attempts. Their upper bound doubles after each pause, up to a maximum. The randomness spreads clients
/// that began at the same time.
package struct Backoff: Sendable {
    private let shortestMs: UInt64
    private let longestMs: UInt64
    /// Upper bound of the next pause, in milliseconds.
    package private(set) var stepMs: UInt64

    /// - Parameters:
    ///   - shortestMs: upper bound of the first pause, in milliseconds.
    ///   - longestMs: upper bound of every pause, in milliseconds.
    package init(shortestMs: UInt64, longestMs: UInt64) {
        self.shortestMs = shortestMs
        self.longestMs = longestMs
        stepMs = shortestMs
    }

    /// `true` if the next pause is as short as the first.
    package var isShortest: Bool { stepMs == shortestMs }

    /// The next pause, in milliseconds: between half of ``stepMs`` and all of it.
    package mutating func nextMs(using random: inout some RandomNumberGenerator) -> UInt64 {
        defer { stepMs = min(longestMs, stepMs * 2) }
        return stepMs / 2 + UInt64.random(in: 0...stepMs / 2, using: &random)
    }

    /// The next pause, in milliseconds, with the system's random numbers as jitter.
    package mutating func nextMs() -> UInt64 {
        var random = SystemRandomNumberGenerator()
        return nextMs(using: &random)
    }

    /// Makes the next pause as short as the first.
    package mutating func reset() { stepMs = shortestMs }
}
