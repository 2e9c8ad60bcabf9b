import NIOCore

/// How long a classic conversation waits for what.
enum ClassicTimeouts {
    /// For the relay to take the goodbye, when the user leaves. Leaving must not hang on a relay that is gone.
    static let goodbye = Duration.seconds(5)
    /// For the relay to take another frame, when the input is over. Longer than any wait that a relay asks for as a rule,
    /// so that the last lines of a script are not lost to a relay that is busy.
    static let lastLines = Duration.seconds(15)
    /// Before a frame that the relay refused for the moment goes again: what the relay asks for, but not so little that it
    /// is asked all the time, nor so much that it says the same as never.
    static let shortestRetry = TimeAmount.milliseconds(200)
    static let longestRetry = TimeAmount.seconds(10)
    /// The first pause before connecting or beginning anew: nobody notices it.
    static let firstPause = Duration.milliseconds(100)
    /// The longest pause before connecting again: a relay that is back is soon found, and one that is not is left alone.
    static let longestReconnectPause = Duration.seconds(5)
    /// The longest pause before the handshake begins anew. Whoever knows both ids can ask for that all day, and costs both
    /// sides no more than one RSA handshake in this time.
    static let longestRestartPause = Duration.seconds(30)
    /// A connection that stood for so long was a good one: the next pause is a short one again.
    static let steadyAfter = Duration.seconds(60)
}

/// Pauses before something is tried again: each twice as long as the one before up to a cap, and jittered, so that two
/// sides that began together do not go on together. Nothing that comes in makes them short again.
struct GrowingPause {
    private let longest: Duration
    private var step = ClassicTimeouts.firstPause

    init(longest: Duration) { self.longest = longest }

    /// The next pause: between half a step and a whole one.
    mutating func next() -> Duration {
        defer { step = min(step * 2, longest) }
        return step / 2 + step / 2 * Double.random(in: 0...1)
    }
}
