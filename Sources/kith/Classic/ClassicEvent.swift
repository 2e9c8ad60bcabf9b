import ClassicSession
import KithClient
import KithWire

/// What a classic conversation has to tell its user.
enum ClassicEvent: Sendable {
    /// The relay answered. `isFirstContact` if its key was not known before and is remembered now.
    case connected(RelayAddress, RelayPin, isFirstContact: Bool)
    /// What the session says.
    case session(Event)
    /// The other user started again before the two were connected, so this side does too.
    case beganAnew
    /// The connection broke and is being made again.
    case reconnecting
    /// It stands again; nothing is lost.
    case reconnected
    /// A text of the user's own went out.
    case sent(String)
    /// A text of the user's own can't be sent.
    case notSent(ClassicSendError)
    /// In the end: so many of the user's texts were not sent, or the relay does not have them.
    case unsent(Int)
}
