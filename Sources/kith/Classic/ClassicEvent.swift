import ClassicSession
import KithClient
import KithWire

/// An event of a classic conversation, for its user.
enum ClassicEvent: Sendable {
    /// The relay answered. `isFirstContact` means that its key was unknown and is remembered now.
    case connected(RelayAddress, RelayPin, isFirstContact: Bool)
    /// An event of the session.
    case session(Event)
    /// The other side restarted before the session was open, so this side restarts, too.
    case beganAnew
    /// The connection broke, and is being made again.
    case reconnecting
    /// The connection is back, and nothing is lost.
    case reconnected
    /// One of the user's texts was sent.
    case sent(String)
    /// One of the user's texts can't be sent.
    case notSent(ClassicSendError)
    /// The number of the user's texts that the relay does not have at the end.
    case unsent(Int)
}
