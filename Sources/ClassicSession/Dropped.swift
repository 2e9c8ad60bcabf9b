/// The reason why an input was dropped. A dropped input does not advance the session. Of an altered message, the session
/// remembers only the claimed number, so that it does not report that number as missing. This value contains nothing of the
/// input except a claimed message number or the length of a key.
public enum Dropped: Hashable, Sendable {
    /// A message whose MAC is wrong, or whose number or content is invalid. The three faults share one case, so that a forger
    /// cannot learn which check has failed.
    ///
    /// `number`: the number that the message claims; `nil` if the claim is not believed, because the number is lower than the
    /// next expected number or far above it. Even a believed number may have been altered.
    case altered(number: UInt64?)
    /// A genuine message that was repeated, or that arrived after a message with a higher number.
    case repeated(number: UInt64)
    /// This run's own frame or key, which somebody has sent back.
    case reflected
    /// Bytes that are no frame of this protocol: cut short, garbled, or of another version.
    case malformed
    /// A frame of another run of the same two users. Frames of other runs are normal: the channel keeps the frames of old runs.
    case otherRun
    /// A message or a step of the handshake that is not expected now, because it is repeated or out of order.
    case outOfStep
    /// A public key for an id that is not the other user's id.
    case wrongID
    /// A public key that is not safe to use.
    case unacceptableKey(KeyRefusal)
    /// An invalid signature in a proof. The proof should have shown that the other user is present.
    case badProof
    /// A wrapped key that has an invalid signature or that cannot be unwrapped. The two faults share one case, so that a forger
    /// cannot learn which check has failed.
    case badWrappedKey
    /// The announcement of one run too many: this run has already handled the maximum number of announced runs.
    case tooManyRuns
    /// An input after the end of the session.
    case afterEnd

    /// Whether inputs are dropped for this reason in normal operation. A harmless drop is reported only to users who have asked
    /// for every detail.
    public var isHarmless: Bool {
        switch self {
        case .otherRun, .afterEnd: true
        default: false
        }
    }

    /// The attack to which the frame may belong, explained for a newcomer.
    public var meaning: String {
        switch self {
        case .altered:
            "Somebody between the two changed a message, or made one up. Without the HMAC key they can't make its code "
                + "match, and without a matching code nothing is decrypted or shown."
        case .repeated:
            "Somebody recorded a genuine message and sent it again, or held it back and let a later one pass. Its number "
                + "is under its code, so it can't be made new."
        case .reflected:
            "Somebody sent your own words back to you, hoping you would take them for the other user's. Everything signed "
                + "or authenticated says which side it is from."
        case .malformed:
            "Somebody cut or garbled a frame, or something else writes to this channel."
        case .otherRun:
            "The channel of two users is always the same and keeps old frames. Each names its run, and this one is of "
                + "another: nothing in it counts here."
        case .outOfStep:
            "Somebody repeated or reordered the steps of the handshake. Each step counts once, in its place."
        case .wrongID:
            "Somebody presented a key under another id than the one you are expecting."
        case .unacceptableKey:
            "An eavesdropper could break a weak key, so it is refused before it is used."
        case .badProof:
            "The sender does not hold the private key, or the two of you have seen different values of each other: because "
                + "a recorded run was played again, or because somebody in between changed a key, a nonce or an id."
        case .badWrappedKey:
            "Somebody in between replaced the message key by one they know. It has to be signed by the same key that "
                + "proved itself a step before."
        case .tooManyRuns:
            "Somebody is flooding the channel with announcements, and answering them all would only help them."
        case .afterEnd:
            "A session that has ended takes nothing more, so nobody can add to its messages."
        }
    }
}

extension Dropped: CustomStringConvertible {
    /// A description that is shown in brackets after the other user's id: `message 4 was altered on the way; dropped`.
    public var description: String {
        switch self {
        case .altered(let number?): "message \(number) was altered on the way; dropped"
        case .altered(nil): "a message was altered on the way; dropped"
        case .repeated(let number): "message \(number) came again or too late; dropped"
        case .reflected: "something of your own was sent back to you; dropped"
        case .malformed: "something unreadable came; dropped"
        case .otherRun: "something of another run came; ignored"
        case .outOfStep: "a step of the handshake came at the wrong time; dropped"
        case .wrongID: "a key came in another name; refused"
        case .unacceptableKey(let refusal): "the key \(refusal); refused"
        case .badProof: "the proof of identity is wrong; refused"
        case .badWrappedKey: "the message key is not from the one who proved their identity; refused"
        case .tooManyRuns: "too many runs have announced themselves; not answered"
        case .afterEnd: "something came after the end; ignored"
        }
    }
}
