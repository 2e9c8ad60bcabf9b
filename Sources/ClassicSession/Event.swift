/// A request or report of a step of the session. A step's outputs are to be handled in order.
public enum Output: Hashable, Sendable {
    /// Append this to the channel.
    case frame([UInt8])
    /// Tell the user, or ignore it.
    case event(Event)
}

/// An event for the user.
public enum Event: Hashable, Sendable {
    /// One step, in words: for `--explain` and the demo.
    case explained(Explanation)
    /// This run has announced itself; nobody has answered yet.
    case waiting
    /// The other user's public key has come and is acceptable. It may still be anybody's: show the fingerprint, so that the
    /// two can compare it over another channel.
    case peerKey(Fingerprint)
    /// A key came that is not the expected one. Either the other user has a new key, or a man in the middle sent his own.
    /// The key is not used, and the session still waits for the expected one; a caller may give up here.
    case refusedKey(presented: Fingerprint, expected: Fingerprint)
    /// Both have proved that they hold their keys, in this run, and messages can be sent.
    case established(Established)
    /// A message that passed every check. `number` counts what the other user has sealed in this session, from 1.
    /// The text is valid UTF-8 and otherwise unchecked. A caller that prints it on a terminal replaces control characters
    /// first.
    /// terminal replaces control characters first.
    case message(number: UInt64, text: String)
    /// The messages with these numbers have not come, and are dropped if they come now. Numbers already reported as altered
    /// are left out.
    case missing(ClosedRange<UInt64>)
    /// An input was not used, and changed nothing.
    case dropped(Dropped)
    /// A new run under the other user's id has announced itself. If the other user did start again, this session will hear
    /// no more from them, and a new ``ClassicSession`` will find them. Anybody who knows both ids can make such an
    /// announcement, so it does not end the session.
    case peerStartedAgain
    /// The session is over. Nothing is accepted or sent any more, and its keys are wiped.
    case ended(Ending)
}

/// The result of the handshake for one of the two users.
public struct Established: Hashable, Sendable {
    /// The fingerprint of the other user's key, which has signed this run.
    public let peerKey: Fingerprint
    /// This user's fingerprint, as the other user sees it.
    public let ownKey: Fingerprint
    /// Whether ``peerKey`` was the expected one. If not, only a comparison shows whether it is the other user's.
    public let wasExpected: Bool
    /// The session's name under every MAC. It is the same on both sides, or no MAC would verify.
    public let sessionID: SessionID
}

/// The reason that a session is over.
public enum Ending: Hashable, Sendable, CustomStringConvertible {
    /// The other user said goodbye, authentically.
    case goodbye
    /// This user left.
    case left
    /// The connection is gone without a goodbye: the last messages may be missing.
    case cut
    /// The cryptographic library refused something it never should. A bug, or a broken machine.
    case internalFailure

    /// A sentence for the user.
    public var description: String {
        switch self {
        case .goodbye: "said goodbye"
        case .left: "you left"
        case .cut: "the connection was cut without a goodbye; the last messages may be missing"
        case .internalFailure: "the cryptographic library failed; this should never happen"
        }
    }
}

/// The reason that a text can't be sent.
public enum ClassicSendError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The handshake is not done yet. Wait for ``Event/established(_:)``.
    case notEstablished
    /// The session is over. Start a new one.
    case ended
    /// The text is longer than ``ClassicLimits/textBytes``. Send it in parts.
    case tooLong(limit: Int)
    /// The text has a NUL in it, or is not UTF-8.
    case notText
    /// The session has sent as many messages as its keys allow. Start a new one.
    case wornOut
    /// The cryptographic library refused something it never should.
    case internalFailure

    /// A sentence for the user.
    public var description: String {
        switch self {
        case .notEstablished: "nobody is there yet to send to"
        case .ended: "the session is over"
        case .tooLong(let limit): "a message can't be longer than \(limit) bytes"
        case .notText: "that is not text: it is not UTF-8, or has a NUL in it; base64 makes text of anything"
        case .wornOut: "this session has carried all the messages it can; start a new one"
        case .internalFailure: "the cryptographic library failed; this should never happen"
        }
    }
}
