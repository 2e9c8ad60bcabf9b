import KithSupport

/// A session of two users who are online at once: they authenticate each other and chat, as in the system that Kith grew
/// from.
///
/// A pure state machine: frames and texts go in, frames and events come out. It has no clock, network or disk.
///
/// # How a transport drives it
///
/// 1. Derive the channel from the two ids (``ChannelDerivation``), create it if it does not exist, present its tokens.
/// 2. Call ``start()``, append each ``Output/frame(_:)`` to the channel, and follow the channel from behind the entry that
/// the hello became. Older entries belong to old runs; reading them too does no harm, but each old hello is answered.
///    the outputs in order: append frames, print events. Hand every line that the user types to ``send(_:)``.
/// 4. When the user leaves, append what ``bye()`` gives before closing. After a reconnect, go on from the last entry read;
///    call ``connectionLost()`` only when giving up.
/// 5. A new run is a new `ClassicSession`, with the same identity if the user likes: after ``Event/ended(_:)``, or when
///    the user wants to follow an ``Event/peerStartedAgain``. If that comes before the session is open, the other side
///    broke off in the middle of the handshake, and a new run is the only way on.
///
/// Input may be anything. A frame that fails a check is reported and leaves the session unchanged. One owner drives a
/// session; a copy of an established one would use the same message numbers.
public struct ClassicSession: Sendable {
    /// This user.
    public let me: ClassicID
    /// The other user.
    public let peer: ClassicID

    let mySide: Side
    let identity: ClassicIdentity
    let expected: Fingerprint?
    let run: RunID
    let offer: PublicKeyOffer
    var random: any RandomNumberGenerator & Sendable
    /// Runs of the other user that were answered or reported, so that each is handled once.
    var rememberedRuns: Set<RunID> = []
    var state = SessionState.idle

    /// A session that has not started.
    ///
    /// - Parameters:
    ///   - expected: the fingerprint of the only key to accept from the other user, if it is known.
    ///   - random: the source of run numbers, nonces, message keys and IVs. Only tests give their own; everybody else wants
    ///     the system's.
    /// - Throws: ``ClassicIDError/sameAsPeer`` if the two ids are equal.
    public init(
        me: ClassicID, peer: ClassicID, identity: ClassicIdentity, expected: Fingerprint? = nil,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) throws(ClassicIDError) {
        self.me = me
        self.peer = peer
        self.mySide = try ClassicPair(me, peer).side(of: me)
        self.identity = identity
        self.expected = expected
        var random = random
        self.run = RunID(from: &random)
        self.offer = PublicKeyOffer(
            id: me.bytes, subjectPublicKeyInfo: identity.publicKey.encoding,
            nonce: randomBytes(PublicKeyOffer.nonceBytes, from: &random))
        self.random = random
    }

    /// Whether messages can be sent.
    public var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// The reason that the session is over; `nil` while it is not.
    public var ending: Ending? {
        if case .ended(let ending) = state { ending } else { nil }
    }

    /// Announces this run. A second call does nothing.
    public mutating func start() -> [Output] {
        guard case .idle = state else { return [] }
        state = .waiting
        return [
            explain(.limits),
            explain(.identity(bits: identity.bits, fingerprint: identity.fingerprint, isKept: identity.isKept)),
            explain(.run(prefix: prefix(run.bytes))),
            explain(.nonce(prefix: prefix(offer.nonce))),
            frame(.hello, to: nil),
            explain(.saidHello),
            .event(.waiting),
        ]
    }

    /// Takes one entry of the channel.
    ///
    /// Never fails: an unusable entry gives ``Event/dropped(_:)`` and changes nothing.
    public mutating func receive(_ bytes: ArraySlice<UInt8>) -> [Output] {
        if case .ended = state { return drop(.afterEnd) }
        guard bytes.count <= ClassicLimits.frameBytes, let frame = try? Frame(decoding: bytes) else {
            return drop(.malformed)
        }
        guard frame.sender != mySide else { return drop(frame.from == run ? .reflected : .otherRun) }
        guard let to = frame.to else { return receiveHello(from: frame.from) }
        guard to == run else { return drop(.otherRun) }
        if let peerRun = state.peerRun, peerRun != frame.from { return drop(.otherRun) }

        switch (state, frame.body) {
        case (.waiting, .publicKey(let offer)):
            return receive(offer, from: frame.from)
        case (.proving(let proving), .proof(let signature)):
            return receiveProof(signature, proving)
        case (.wrapping(let wrapping), .wrappedKey(let key)):
            return receive(key, wrapping)
        case (.open(let open), .sealed(let sealed)):
            return receive(sealed, open)
        default:
            return drop(.outOfStep)
        }
    }

    /// Ends the session because the connection is gone for good.
    public mutating func connectionLost() -> [Output] { end(.cut) }

    // MARK: Shared by the steps

    mutating func end(_ ending: Ending) -> [Output] {
        if case .ended = state { return [] }
        state = .ended(ending)
        return [.event(.ended(ending))]
    }

    func frame(_ body: Frame.Body, to: RunID?) -> Output {
        .frame(Frame(sender: mySide, from: run, to: to, body: body).encoded)
    }

    func explain(_ step: Explanation.Step) -> Output {
        .event(.explained(Explanation(step: step, peer: peer)))
    }

    func drop(_ reason: Dropped) -> [Output] { [.event(.dropped(reason))] }

    /// The first digits of a public value, enough to recognise it by.
    func prefix(_ bytes: [UInt8]) -> String { Hex.encode(bytes.prefix(4)) }
}

extension ClassicSession: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The two users and the progress of the session; nothing secret.
    public var description: String {
        let phase =
            switch state {
            case .idle: "not started"
            case .waiting: "waiting"
            case .proving: "exchanging proofs"
            case .wrapping: "exchanging message keys"
            case .open: "open"
            case .ended: "ended"
            }
        return "ClassicSession(\(me) with \(peer), \(phase))"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Without children, so that dumps show no key.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Bytes that need not stay secret, from a generator.
func randomBytes(_ count: Int, from random: inout some RandomNumberGenerator) -> [UInt8] {
    (0..<count).map { _ in random.next() }
}
