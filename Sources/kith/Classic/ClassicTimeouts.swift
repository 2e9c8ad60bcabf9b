import KithSupport
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
    /// Pauses before connecting again. Nobody notices the first; the longest, of 5 seconds, leaves a relay alone that is not
    /// back, and finds one soon that is.
    static let reconnecting = Backoff(shortestMs: 100, longestMs: 5_000)
    /// Pauses before the handshake begins anew. A stranger who knows both ids can ask for that all day, and costs both sides
    /// no more than one RSA handshake in the longest pause, of 30 seconds.
    static let restarting = Backoff(shortestMs: 100, longestMs: 30_000)
    /// A connection that stood for so long was a good one: the next pause is a short one again.
    static let steadyAfter = Duration.seconds(60)
}
