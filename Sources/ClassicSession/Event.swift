/// An output of the session: a frame to send, or an event. Process the outputs of a step in order.
public enum Output: Hashable, Sendable {
    /// Append these bytes to the channel.
    case frame([UInt8])
    /// Show the event to the user, or ignore it.
    case event(Event)
}

/// An event for the user.
public enum Event: Hashable, Sendable {
    /// The explanation of one step, for `--explain` and the demo.
    case explained(Explanation)
    /// This run has announced itself, and nobody has answered yet.
    case waiting
    /// The other user's public key has arrived and is acceptable. The key may still belong to anyone, so show the fingerprint.
    /// The two users can then compare the fingerprint over another channel.
    case peerKey(Fingerprint)
    /// A key has arrived that is not the expected key. Either the other user has a new key, or a man in the middle has sent his
    /// own key. The session does not use the key, and continues to wait for the expected key. The caller may end the session
    /// instead of waiting.
    case refusedKey(presented: Fingerprint, expected: Fingerprint)
    /// In this run, both users have proved that they have their private keys. Messages can be sent now.
    case established(Established)
    /// A message that passed every check. `number` counts the messages that the other user has sealed in this session, from 1.
    /// The text is valid UTF-8, but may contain control characters. Replace the control characters before printing the text on a
    /// terminal.
    case message(number: UInt64, text: String)
    /// The messages with these numbers have not arrived. If a missing message arrives later, the session drops the message.
    /// Numbers that were already reported as altered are left out.
    case missing(ClosedRange<UInt64>)
    /// An input was not used, and has not advanced the session.
    case dropped(Dropped)
    /// A new run with the other user's id has announced itself. If the other user has really started again, this session gets no
    /// more messages from that user, and a new ``ClassicSession`` will find the new run. Anyone who knows the ids of both users
    /// can announce a run. Therefore an announcement does not end the session.
    case peerStartedAgain
    /// The session has ended. The session no longer accepts or sends anything, and its keys are wiped.
    case ended(Ending)
}

/// The result of the handshake for this user.
public struct Established: Hashable, Sendable {
    /// The fingerprint of the other user's key. The other user has signed this run with this key.
    public let peerKey: Fingerprint
    /// This user's fingerprint. The other user sees this fingerprint.
    public let ownKey: Fingerprint
    /// Whether the caller expected ``peerKey``. If the caller expected no key, the users must compare fingerprints to find out
    /// whether the key belongs to the other user.
    public let wasExpected: Bool
    /// The session's id. Every MAC includes the id, so a MAC is valid only if both sides have computed the same id.
    public let sessionID: SessionID
}

/// The reason why a session has ended.
public enum Ending: Hashable, Sendable, CustomStringConvertible {
    /// The other user has said goodbye, and the goodbye was authentic.
    case goodbye
    /// This user has left.
    case left
    /// The connection was lost without a goodbye. The last messages may be missing.
    case cut
    /// The cryptographic library failed at an operation that should never fail. The cause is a bug or a broken machine.
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

/// The reason why a text cannot be sent.
public enum ClassicSendError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The handshake is not finished. Wait for ``Event/established(_:)``.
    case notEstablished
    /// The session has ended. Start a new session.
    case ended
    /// The text is longer than ``ClassicLimits/textBytes``. Send the text in parts.
    case tooLong(limit: Int)
    /// The text contains a NUL, or is not UTF-8.
    case notText
    /// The session has sent as many messages as its keys allow. Start a new session.
    case wornOut
    /// The cryptographic library failed at an operation that should never fail.
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
