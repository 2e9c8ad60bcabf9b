import ClassicSession
import KithClient
import KithWire

/// An event that the user of a classic conversation sees.
enum ClassicEvent: Sendable {
    /// The relay has answered. `isFirstContact`: whether the relay's key was unknown and has now been stored.
    case connected(RelayAddress, RelayPin, isFirstContact: Bool)
    /// An event of the session.
    case session(Event)
    /// The other side has restarted before the session was open, so this side has restarted as well.
    case beganAnew
    /// The connection has broken. The client is reconnecting.
    case reconnecting
    /// The client has reconnected. No message was lost.
    case reconnected
    /// One of the user's texts was sent. The value is the text.
    case sent(String)
    /// One of the user's texts cannot be sent.
    case notSent(ClassicSendError)
    /// The number of the user's texts that the relay does not have at the end of the conversation.
    case unsent(Int)
}
