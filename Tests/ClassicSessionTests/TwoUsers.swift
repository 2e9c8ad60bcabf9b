import Testing

@testable import ClassicSession

/// Keys made once for all tests: making an RSA key is the slowest thing here.
enum TestKeys {
    static let alice = Result { try ClassicIdentity.generate() }
    static let bob = Result { try ClassicIdentity.generate() }
    static let mallory = Result { try ClassicIdentity.generate() }
}

enum User: Hashable, CaseIterable {
    case alice, bob

    var other: User { self == .alice ? .bob : .alice }
}

func newSession(
    _ user: User, identity: ClassicIdentity? = nil, expected: Fingerprint? = nil,
    random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
) throws -> ClassicSession {
    let alice = try ClassicID("alice")
    let bob = try ClassicID("bob")
    return switch user {
    case .alice:
        try ClassicSession(
            me: alice, peer: bob, identity: identity ?? TestKeys.alice.get(), expected: expected,
            random: random)
    case .bob:
        try ClassicSession(
            me: bob, peer: alice, identity: identity ?? TestKeys.bob.get(), expected: expected,
            random: random)
    }
}

/// Two sessions over one append-only log, as over a relay's channel: each reads the other's frames in order.
struct TwoUsers {
    struct Entry: Hashable {
        var from: User
        var bytes: [UInt8]

        var body: Frame.Body? { (try? Frame(decoding: bytes))?.body }
        var isProof: Bool { if case .proof = body { true } else { false } }
        var isOffer: Bool { if case .publicKey = body { true } else { false } }
    }

    var sessions: [User: ClassicSession]
    var log: [Entry] = []
    /// The number of entries that each has read.
    var cursor: [User: Int] = [.alice: 0, .bob: 0]
    var events: [User: [Event]] = [.alice: [], .bob: []]
    /// The users that read.
    var online: Set<User> = []

    init(alice: ClassicSession? = nil, bob: ClassicSession? = nil) throws {
        sessions = [.alice: try alice ?? newSession(.alice), .bob: try bob ?? newSession(.bob)]
    }

    /// Two users whose session is open, with nothing unread.
    static func open() throws -> TwoUsers {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.deliver()
        try #require(users.established(.alice) != nil && users.established(.bob) != nil)
        return users
    }

    func session(_ user: User) throws -> ClassicSession { try #require(sessions[user]) }

    /// Appends a user's frames to the log, and keeps the events.
    mutating func carryOut(_ outputs: [Output], of user: User) {
        log += outputs.frames.map { Entry(from: user, bytes: $0) }
        events[user, default: []] += outputs.events
    }

    /// Starts a user's session and returns the hello.
    @discardableResult
    mutating func start(_ user: User) -> [UInt8] {
        online.insert(user)
        let outputs = sessions[user]?.start() ?? []
        carryOut(outputs, of: user)
        return outputs.frames.first ?? []
    }

    /// Seals a text, puts it into the log, and returns the frame.
    @discardableResult
    mutating func say(_ text: String, _ user: User) throws -> [UInt8] {
        let outputs = try sessions[user]?.send(text) ?? []
        carryOut(outputs, of: user)
        return try #require(outputs.frames.first)
    }

    /// Says goodbye and returns the frame.
    @discardableResult
    mutating func leave(_ user: User) throws -> [UInt8] {
        let outputs = sessions[user]?.bye() ?? []
        carryOut(outputs, of: user)
        return try #require(outputs.frames.first)
    }

    /// Hands a frame to a user past the log, and returns the events other than explanations.
    @discardableResult
    mutating func hand(_ bytes: [UInt8], to user: User) -> [Event] {
        let outputs = sessions[user]?.receive(bytes[...]) ?? []
        carryOut(outputs, of: user)
        return outputs.plainEvents
    }

    /// Lets both read the log until neither has anything to add.
    ///
    /// - Parameter onTheWay: changes an entry on its way to its reader.
    mutating func deliver(onTheWay: (Entry) -> [[UInt8]] = { [$0.bytes] }) {
        var moved = true
        while moved {
            moved = false
            for user in User.allCases where online.contains(user) {
                let index = cursor[user, default: 0]
                guard index < log.count else { continue }
                cursor[user] = index + 1
                moved = true
                guard log[index].from != user else { continue }
                for bytes in onTheWay(log[index]) { hand(bytes, to: user) }
            }
        }
    }

    /// The events reported to a user, without the explanations.
    func told(_ user: User) -> [Event] { events[user, default: []].filter { !$0.isExplanation } }

    func texts(_ user: User) -> [String] {
        told(user).compactMap { if case .message(_, let text) = $0 { text } else { nil } }
    }

    func established(_ user: User) -> Established? {
        told(user).lazy.compactMap { if case .established(let established) = $0 { established } else { nil } }.first
    }
}

extension Event {
    var isExplanation: Bool { if case .explained = self { true } else { false } }

    var isMessage: Bool { if case .message = self { true } else { false } }
}

extension [Output] {
    var frames: [[UInt8]] { compactMap { if case .frame(let bytes) = $0 { bytes } else { nil } } }

    var events: [Event] { compactMap { if case .event(let event) = $0 { event } else { nil } } }

    var plainEvents: [Event] { events.filter { !$0.isExplanation } }

    var steps: [Explanation.Step] {
        events.compactMap { if case .explained(let explanation) = $0 { explanation.step } else { nil } }
    }
}

extension ClassicSession {
    /// The parts of an open session, for tests that check that nothing changed.
    var opened: SessionState.Open? { if case .open(let open) = state { open } else { nil } }
}

/// Parses a frame, lets it be changed, and encodes it again: for frames that no session would send.
func rewriting(_ bytes: [UInt8], _ change: (inout Frame) -> Void) throws -> [UInt8] {
    var frame = try Frame(decoding: bytes)
    change(&frame)
    return frame.encoded
}

/// A SubjectPublicKeyInfo with an RSA key of any size and exponent, well formed or not: keys that nobody should accept.
func rsaKeyEncoding(bits: Int, exponent: [UInt8] = [1, 0, 1]) -> [UInt8] {
    func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        let length: [UInt8] =
            count < 128
            ? [UInt8(count)]
            : count < 256 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 255)]
        return [tag] + length + content
    }
    var modulus = [UInt8](repeating: 0xa7, count: (bits + 7) / 8)
    modulus[0] = UInt8(1 << ((bits - 1) % 8))
    modulus[modulus.count - 1] = 0x01
    func integer(_ bytes: [UInt8]) -> [UInt8] { der(0x02, bytes[0] & 0x80 == 0 ? bytes : [0] + bytes) }
    let rsaEncryption: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]
    let key = der(0x30, integer(modulus) + integer(exponent))
    return der(0x30, der(0x30, rsaEncryption) + der(0x03, [0] + key))
}
