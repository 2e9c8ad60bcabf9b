import KithSupport
import NIOCore

/// The times of a classic conversation.
enum ClassicTimeouts {
    /// Maximum wait for the relay to accept the goodbye. Leaving must not hang on a dead relay.
    static let goodbye = Duration.seconds(5)
    /// Maximum wait for the relay to accept the next frame, after the input is over. Longer than the usual retry time
    /// of a busy relay, so that a script's last lines are not lost.
    static let lastLines = Duration.seconds(15)
    /// Limits of the pause before a refused frame goes again. Below the first, a relay is asked all the time; above the
    /// second, a user would take the pause for the end.
    static let shortestRetry = TimeAmount.milliseconds(200)
    static let longestRetry = TimeAmount.seconds(10)
    /// Pauses before reconnecting. A person does not notice the shortest. The longest, 5 seconds, spares a relay that
    /// is down, and finds it soon when it is back.
    static let reconnecting = Backoff(shortestMs: 100, longestMs: 5_000)
    /// Pauses before the handshake restarts. A stranger who knows both ids can force restarts all day. The longest
    /// pause, 30 seconds, limits the cost to one RSA handshake in that time for each side.
    static let restarting = Backoff(shortestMs: 100, longestMs: 30_000)
    /// A connection that lasted this long resets the reconnect pauses.
    static let steadyAfter = Duration.seconds(60)
}
