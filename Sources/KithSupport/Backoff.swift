/// Random pauses between attempts. Each pause doubles the upper bound of the next pause, up to a maximum. Random pauses spread
/// the attempts of clients that began at the same time.
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

    /// `true` if the next pause has the upper bound of the first pause.
    package var isShortest: Bool { stepMs == shortestMs }

    /// Returns the next pause, in milliseconds. The pause is at least half of ``stepMs`` and at most ``stepMs``.
    package mutating func nextMs(using random: inout some RandomNumberGenerator) -> UInt64 {
        defer { stepMs = min(longestMs, stepMs * 2) }
        return stepMs / 2 + UInt64.random(in: 0...stepMs / 2, using: &random)
    }

    /// Returns the next pause, in milliseconds. Uses the system's random numbers.
    package mutating func nextMs() -> UInt64 {
        var random = SystemRandomNumberGenerator()
        return nextMs(using: &random)
    }

    /// Gives the next pause the upper bound of the first pause.
    package mutating func reset() { stepMs = shortestMs }
}
