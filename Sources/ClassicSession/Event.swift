/// What a step of the session asks for or reports, in the order in which it is to be done.
public enum Output: Hashable, Sendable {
    /// Append this to the channel.
    case frame([UInt8])
    /// Tell the user, or don't.
    case event(Event)
}

/// What happened, for the user.
public enum Event: Hashable, Sendable {
    /// One step, in words: for `--explain` and the demo.
    case explained(Explanation)
    /// This run has announced itself; nobody has answered yet.
    case waiting
    /// The other user's public key has come, and is acceptable. It may still be anybody's: show the fingerprint, so that
    /// the two can compare it over another way of talking.
    case peerKey(Fingerprint)
    /// A key came that is not the expected one. Either the other user has a new key, or somebody stands in between. It is
    /// not used and the session waits on for the expected one; a caller may just as well give up here.
    case refusedKey(presented: Fingerprint, expected: Fingerprint)
    /// Both have proved that they hold their keys, in this run, and messages can be sent.
    case established(Established)
    /// A message that passed every check. `number` counts what the other user has sealed in this session, from 1.
    ///
    /// The text is what the other user's program sent, valid UTF-8 but otherwise unchecked: whoever prints it on a
    /// terminal replaces control characters first.
    case message(number: UInt64, text: String)
    /// The messages with these numbers have not come, and if they come now they are too late. Numbers already reported as
    /// altered are left out.
    case missing(ClosedRange<UInt64>)
    /// Something that came was not used, and changed nothing.
    case dropped(Dropped)
    /// A new run under the other user's id has announced itself. If they did start again, this session will hear no more
    /// from them, and a new ``ClassicSession`` will find them. Anybody who knows both ids can make such an announcement, so
    /// it ends nothing.
    case peerStartedAgain
    /// The session is over. Nothing is accepted or sent any more, and its keys are wiped.
    case ended(Ending)
}

/// What two users have when the handshake is done.
public struct Established: Hashable, Sendable {
    /// The other user's fingerprint: the key that has signed this run.
    public let peerKey: Fingerprint
    /// This user's fingerprint, as the other user sees it.
    public let ownKey: Fingerprint
    /// Whether ``peerKey`` was the expected one. If not, only comparing it tells whether it is the other user's.
    public let wasExpected: Bool
    /// The session's name under every MAC: the same on both sides, or nothing would work.
    public let sessionID: SessionID
}

/// Why a session is over.
public enum Ending: Hashable, Sendable, CustomStringConvertible {
    /// The other user said goodbye, and it was them.
    case goodbye
    /// This user left.
    case left
    /// The connection is gone without a goodbye: the last messages may be missing.
    case cut
    /// The cryptographic library refused something it never should. A bug, or a broken machine.
    case internalFailure

    /// One sentence for the user.
    public var description: String {
        switch self {
        case .goodbye: "said goodbye"
        case .left: "you left"
        case .cut: "the connection was cut without a goodbye; the last messages may be missing"
        case .internalFailure: "the cryptographic library failed; this should never happen"
        }
    }
}

/// Why a text can't be sent.
public enum ClassicSendError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The handshake is not done yet. Wait for ``Event/established(_:)``.
    case notEstablished
    /// The session is over. Start a new one.
    case ended
    /// The text is longer than ``ClassicLimits/textBytes``. Send it in parts.
    case tooLong(limit: Int)
    /// The text has a NUL in it, or is not UTF-8.
    case notText
    /// So many messages have been sent that the session's keys are worn out. Start a new one.
    case wornOut
    /// The cryptographic library refused something it never should.
    case internalFailure

    /// One sentence for the user.
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
