import KithSupport
import NIOCore

/// The durations and pauses of a classic conversation.
enum ClassicTimeouts {
    /// Maximum time in which the relay must accept the goodbye, so that leaving does not wait for a relay that does not respond.
    static let goodbye = Duration.seconds(5)
    /// Maximum time in which the relay must accept the next frame after the input has ended. It is longer than the pause that a
    /// busy relay usually requests before a retry, so that a script's last lines are not lost.
    static let lastLines = Duration.seconds(15)
    /// The shortest and the longest pause before a refused frame is sent again. With shorter pauses, the client would ask the
    /// relay constantly. With longer ones, a user would believe that the conversation has ended.
    static let shortestRetry = TimeAmount.milliseconds(200)
    static let longestRetry = TimeAmount.seconds(10)
    /// Pauses before reconnecting. A person does not notice the shortest pause. The longest, 5 seconds, keeps the load on a relay
    /// low while it is down, and finds the relay soon after its return.
    static let reconnecting = Backoff(shortestMs: 100, longestMs: 5_000)
    /// Pauses before the handshake restarts. A stranger who knows both ids can cause restarts all day. The longest pause, 30
    /// seconds, limits the cost for each side to one RSA handshake per pause.
    static let restarting = Backoff(shortestMs: 100, longestMs: 30_000)
    /// Minimum duration of a connection after which the next pause before reconnecting is the shortest one again.
    static let steadyAfter = Duration.seconds(60)
}
