/// An explanation, for a newcomer, of one step of a session and of the attack that the step prevents.
///
/// An explanation contains only values that everyone on the channel may see. An explanation never contains a key, a secret or a
/// text.
public struct Explanation: Hashable, Sendable {
    /// The kind of a step.
    public enum Action: String, Hashable, Sendable, CaseIterable {
        /// A value was generated on this machine.
        case generated
        /// This machine sent something.
        case sent
        /// Something was received and is not trusted yet.
        case received
        /// Something received was checked, and the check succeeded.
        case checked
        /// A fact that the user should know.
        case note
    }

    /// A step and its public values.
    public enum Step: Hashable, Sendable {
        /// The first step, which says what the classic session is, and what it does not protect.
        case limits
        /// The user's key pair.
        case identity(bits: Int, fingerprint: Fingerprint, isKept: Bool)
        /// The random number of this run.
        case run(prefix: String)
        /// The nonce of this run.
        case nonce(prefix: String)
        /// This run was announced.
        case saidHello
        /// A run was announced under the other user's id.
        case heardHello(run: String)
        /// This side's id, key and nonce were sent.
        case sentPublicKey
        /// The other side's id, key and nonce were received.
        case receivedPublicKey(bits: Int, fingerprint: Fingerprint)
        /// The key is well formed and long enough.
        case keyAcceptable
        /// The key is the expected one.
        case keyExpected
        /// This side did not know in advance which key the other side has.
        case keyUnknown
        /// This side's signature over the values of both sides was sent.
        case sentProof
        /// The other side's signature was verified.
        case proofVerified
        /// The keys for messages to this side were generated.
        case messageKeys
        /// The keys for messages to this side were sent, wrapped.
        case sentWrappedKey
        /// The other side's wrapped keys were received and verified.
        case wrappedKeyOpened
        /// Each side has the keys for its own messages and for the messages of the other side.
        case sessionReady(SessionID)
        /// A message was sent.
        case sealedMessage(number: UInt64, bytes: Int)
        /// A message was received and verified.
        case messageVerified(number: UInt64)
        /// The goodbye was sent.
        case saidBye
        /// The other side's goodbye was received and verified.
        case byeVerified
    }

    /// The explained step.
    public let step: Step
    /// The other user.
    public let peer: ClassicID

    /// The kind of step.
    public var action: Action {
        switch step {
        case .limits, .keyUnknown, .sessionReady: .note
        case .identity, .run, .nonce, .messageKeys: .generated
        case .saidHello, .sentPublicKey, .sentProof, .sentWrappedKey, .sealedMessage, .saidBye: .sent
        case .heardHello, .receivedPublicKey: .received
        case .keyAcceptable, .keyExpected, .proofVerified, .wrappedKeyOpened, .messageVerified, .byeVerified: .checked
        }
    }
}

extension Explanation {
    /// One or two sentences about the step.
    public var text: String {
        switch step {
        case .limits:
            "This is the classic session, for study: RSA keys, signed nonces, wrapped AES and HMAC keys. It has no forward "
                + "secrecy: anyone who records the traffic and later gets a private key can read all of it. Everyday chat uses "
                + "MLS, which does not have this weakness."
        case .identity(let bits, let fingerprint, let isKept):
            "An RSA key pair of \(bits) bits, \(isKept ? "from the key file" : "for this run only"). The private half "
                + "never leaves this machine. The public half has the fingerprint \(fingerprint). "
                + (isKept
                    ? "Because it is kept, \(peer) can pin it and will notice any other."
                    : "Because it is new, \(peer) has to compare it in every run.")
        case .run(let prefix):
            "A random number that names this run of the program: \(prefix)…"
        case .nonce(let prefix):
            "A nonce, 32 random bytes to be used once: \(prefix)…"
        case .saidHello:
            "A hello to \(peer), with the number of this run. Nothing secret is in it."
        case .heardHello(let run):
            "A hello under the id \(peer), from run \(run)…"
        case .sentPublicKey:
            "Your id, your public key and your nonce."
        case .receivedPublicKey(let bits, let fingerprint):
            "The id \(peer), a nonce, and a public key of \(bits) bits with the fingerprint \(fingerprint). Nothing vouches "
                + "for it yet: anybody can send a key with any name on it."
        case .keyAcceptable:
            "The key is an RSA key of \(ClassicLimits.leastRSABits) bits or more with the usual exponent, and not your own."
        case .keyExpected:
            "The key has exactly the fingerprint that you expected."
        case .keyUnknown:
            "You gave no fingerprint to expect, so nobody but you can tell whose key this is. Ask \(peer) on the phone to "
                + "read out theirs and compare all of it. Until then, a man in the middle could have handed each of you a "
                + "key of their own."
        case .sentProof:
            "Your RSA-PSS signature over both nonces, both keys, both ids and both runs, marked as yours."
        case .proofVerified:
            "The signature of \(peer) over both nonces, both keys, both ids and both runs verifies with the key that came."
        case .messageKeys:
            "64 random bytes: an AES-256 key and an HMAC-SHA256 key. \(peer) will use them to write to you."
        case .sentWrappedKey:
            "These 64 bytes, encrypted with the public key of \(peer) (RSA-OAEP with SHA-256) and signed with yours."
        case .wrappedKeyOpened:
            "The message keys that \(peer) made verify as signed by the proved key, and your private key opened them. You "
                + "will use them to write to \(peer)."
        case .sessionReady(let id):
            "Both directions have keys. The hash of everything exchanged names the session: \(id)…"
        case .sealedMessage(let number, let bytes):
            "Message \(number), \(bytes) bytes: encrypted with AES-256-CBC under a fresh random IV, then an HMAC-SHA256 "
                + "over the session, the direction, the number, the IV and the ciphertext."
        case .messageVerified(let number):
            "Message \(number): its HMAC matches and its number is higher than all before. Only then was it decrypted."
        case .saidBye:
            "A goodbye, numbered and authenticated like a message."
        case .byeVerified:
            "The goodbye of \(peer): its HMAC matches, and its number shows whether anything before it is missing."
        }
    }

    /// The attack that the step prevents; `nil` if the step alone prevents none.
    public var against: String? {
        switch step {
        case .limits, .identity, .saidHello, .heardHello, .sentPublicKey, .receivedPublicKey, .keyUnknown,
            .sessionReady:
            nil
        case .run:
            "Frames of earlier runs, which are still in the channel: they name other runs and are ignored."
        case .nonce:
            "Replay: \(peer) must sign this number, and nobody can have a signature over it from an earlier day."
        case .keyAcceptable:
            "Keys short enough to be broken, keys made to waste your time, and your own key sent back to you."
        case .keyExpected:
            "A man in the middle: somebody who hands each of you their own key and reads everything on its way."
        case .sentProof:
            "Somebody else using your public key, which everybody can see: only the private key makes this signature."
        case .proofVerified:
            "Impersonation with somebody's public key, replay of an earlier run, reflection of your own signature, and any "
                + "change of an id, a key or a nonce on the way: each would make the signature fail."
        case .messageKeys:
            "Passing off a message of one direction as one of the other: each direction has keys of its own."
        case .sentWrappedKey:
            "Readers on the way: only the private key of \(peer) opens it. The signature keeps others from replacing it."
        case .wrappedKeyOpened:
            "Somebody in between who replaces the message keys by ones they know."
        case .sealedMessage:
            "Reading, and every kind of change: the code covers all of it, so it can't be altered, repeated, reordered or "
                + "sent back without being noticed."
        case .messageVerified:
            "Altered, made-up, repeated, reordered, missing and reflected messages. Checking before decrypting also gives "
                + "nobody a padding oracle, which reveals texts by the way in which decryption fails."
        case .saidBye, .byeVerified:
            "Truncation: an attacker who cuts the line can't make it look like a goodbye, and can't hide the last messages."
        }
    }
}

extension Explanation: CustomStringConvertible {
    /// The whole explanation in one paragraph.
    public var description: String {
        guard let against else { return "\(action.rawValue): \(text)" }
        return "\(action.rawValue): \(text) Against: \(against)"
    }
}
