import KithSupport
import NIOCore

/// The durations and pauses of a classic conversation.
enum ClassicTimeouts {
    /// Maximum time for the relay to accept the goodbye. If the relay does not respond, leaving takes no longer than this.
    static let goodbye = Duration.seconds(5)
    /// Maximum time for the relay to accept the next frame after the input has ended. A busy relay usually requests a shorter
    /// pause before a retry, so the last lines of a script still reach a busy relay.
    static let lastLines = Duration.seconds(15)
    /// The shortest pause before a refused frame is sent again. With a shorter pause, the client would ask the relay constantly.
    static let shortestRetry = TimeAmount.milliseconds(200)
    /// The longest pause before a refused frame is sent again. With a longer pause, a user would believe that the conversation
    /// has ended.
    static let longestRetry = TimeAmount.seconds(10)
    /// Pauses before reconnecting. A person does not notice the shortest pause. The longest pause is 5 seconds. The pauses keep
    /// the load on a relay low while the relay is down. The client still reconnects soon after the relay's return.
    static let reconnecting = Backoff(shortestMs: 100, longestMs: 5_000)
    /// Pauses before the handshake restarts. A stranger who knows both ids can cause restarts all day. The longest pause is 30
    /// seconds. The pauses limit the cost for each side to one RSA handshake per pause.
    static let restarting = Backoff(shortestMs: 100, longestMs: 30_000)
    /// If a connection has lasted this long, the next pause before reconnecting is the shortest pause again.
    static let steadyAfter = Duration.seconds(60)
}
