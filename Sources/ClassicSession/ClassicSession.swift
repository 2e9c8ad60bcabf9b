import KithSupport

/// A session of two users who are online at the same time. The users authenticate each other and chat, as in the system from
/// which Kith was developed.
///
/// The session is a pure state machine: its inputs are frames and texts, and its outputs are frames and events. It has no clock,
/// network or disk.
///
/// # How a transport uses the session
///
/// 1. Derive the channel from the two ids (``ChannelDerivation``), create the channel if it does not exist, and present its
///    tokens.
/// 2. Call ``start()``, append each ``Output/frame(_:)`` to the channel, and follow the channel from the entry after this side's
///    hello. Older entries belong to old runs. If a session reads older entries, the session answers each old hello.
/// 3. Pass every following entry to ``receive(_:)``, and every line that the user types to ``send(_:)``. Process the outputs in
///    order: append frames, print events.
/// 4. When the user leaves, append the frames that ``bye()`` returns before closing the connection. After a reconnect, continue
///    after the last entry that was read. Call ``connectionLost()`` only if reconnecting has failed for good.
/// 5. For a new run, create a new `ClassicSession`, which may have the same identity. Create a new run after ``Event/ended(_:)``,
///    and to answer ``Event/peerStartedAgain``. If ``Event/peerStartedAgain`` comes before the session is open, the other side
///    has probably ended its run during the handshake. Then this run cannot continue.
///
/// Inputs need not be valid. A frame that fails a check is reported and does not advance the session. Only one owner may use a
/// session. A copy of an open session would use message numbers for a second time.
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
    /// The other user's runs that were answered or reported. The session handles each run once.
    var rememberedRuns: Set<RunID> = []
    var state = SessionState.idle

    /// Creates a session that has not started.
    ///
    /// - Parameters:
    ///   - me: this user's id.
    ///   - peer: the other user's id.
    ///   - identity: this user's key pair.
    ///   - expected: the fingerprint of the other user's key; `nil` if it is not known. With a fingerprint, no other key is
    ///     accepted.
    ///   - random: the source of run numbers, nonces, message keys and IVs. Only tests need a source other than the system's
    ///     source.
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

    /// The reason why the session has ended; `nil` if the session has not ended.
    public var ending: Ending? {
        if case .ended(let ending) = state { ending } else { nil }
    }

    /// Announces this run to the other user. A second call does nothing.
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

    /// Processes one entry of the channel.
    ///
    /// This never fails. If an entry cannot be used, the result contains ``Event/dropped(_:)`` or
    /// ``Event/refusedKey(presented:expected:)``, and the session does not advance.
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

    /// Ends the session because the connection is lost for good.
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

    /// The first digits of a public value, which are enough to recognise the value.
    func prefix(_ bytes: [UInt8]) -> String { Hex.encode(bytes.prefix(4)) }
}

extension ClassicSession: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The two users and the state of the session, without any secret.
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
    /// Equals ``description``.
    public var debugDescription: String { description }
    /// Has no children. This keeps keys out of dumps.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Returns random bytes that need not stay secret.
func randomBytes(_ count: Int, from random: inout some RandomNumberGenerator) -> [UInt8] {
    (0..<count).map { _ in random.next() }
}
