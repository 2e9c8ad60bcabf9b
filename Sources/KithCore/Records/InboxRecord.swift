import KithWire
import MLS
import TLSCodec

/// An inbox of this device's own: a channel in which others put Welcomes, and from which they take key packages.
struct InboxRecord: Sendable {
    /// The people whom the inbox is for.
    enum Purpose: Hashable, Sendable {
        /// One person, or several, with an invite that works until then, in seconds since 1970.
        case invite(isReusable: Bool, expiresAt: UInt64)
        /// One contact, in whose conversation the address was given.
        case contact(ContactID)
        /// All who ask the relay for a name.
        case name(Name)
    }

    let relay: RelayID
    let channel: ChannelID
    let readToken: Token
    let appendToken: Token
    let turnToken: Token
    let sealKey: InboxSealKey
    let purpose: Purpose
    /// The last entry that was processed.
    var lastSeq: UInt64 = 0
    /// When key packages were deposited last, in milliseconds since 1970; 0 if never.
    var depositedAt: UInt64 = 0
    /// Whether the one person it was for has come. Others who used the invite too are told, and then the inbox is closed.
    var isSpent = false
    /// To be closed: nothing that comes is taken any more.
    var isClosing = false
    var nextKeyPackage: UInt64 = 1
    /// The last entry that the relay was asked to drop.
    var trimmedSeq: UInt64 = 0
    /// When entries are dropped next, in milliseconds since 1970, if many may have the address; 0 if no time was drawn.
    var trimAt: UInt64 = 0
    /// When the relay last confirmed the name that leads here, in milliseconds since 1970; 0 if it never did.
    var registeredAt: UInt64 = 0
    /// The entry whose tree is being fetched, and since when. Those behind it wait.
    private(set) var held: HeldEntry?
    /// The last letters that led to a conversation, by their digests. The user is told of one that comes again.
    private(set) var taken: [TakenLetter] = []
    /// Letters that stay at the relay, to be read again. In the order of their seqs.
    var aside: [AsideLetter] = []

    struct TakenLetter: Sendable, TLSCodable {
        let letter: [UInt8]
        let conversation: ConversationID
        /// The id of the entry that it came in; nil if an earlier version stored the letter. A sender that lost the relay's
        /// answer sends the same entry again.
        let entry: EntryID?

        init(letter: [UInt8], conversation: ConversationID, entry: EntryID?) {
            self.letter = letter
            self.conversation = conversation
            self.entry = entry
        }

        init(from reader: inout TLSReader) throws(TLSCodecError) {
            letter = Array(try reader.readBytes(32))
            conversation = ConversationID(rawValue: try reader.readUInt64())
            entry = try reader.readOptional()
        }

        func encode(into writer: inout TLSWriter) {
            writer.writeBytes(letter)
            writer.write(conversation.rawValue)
            writer.writeOptional(entry)
        }
    }

    struct HeldEntry: Sendable, TLSCodable {
        let seq: UInt64
        /// By the relay's clock, in milliseconds since 1970.
        let since: UInt64

        init(seq: UInt64, since: UInt64) {
            self.seq = seq
            self.since = since
        }

        init(from reader: inout TLSReader) throws(TLSCodecError) {
            seq = try reader.readUInt64()
            since = try reader.readUInt64()
        }

        func encode(into writer: inout TLSWriter) {
            writer.write(seq)
            writer.write(since)
        }
    }

    /// Notes that an entry waits for its tree. The time that it has waited counts, after a restart too, but leaves some for another
    /// try.
    ///
    /// - Parameter now: the relay's clock, in milliseconds since 1970.
    /// - Returns: since when, by the same clock.
    mutating func hold(_ seq: UInt64, now: UInt64) -> UInt64 {
        if let held, held.seq == seq {
            let again = ClientLimits.parcelMs - ClientLimits.parcelAgainMs
            // The clock may have been wrong.
            return max(min(held.since, now), now - min(now, again))
        }
        held = HeldEntry(seq: seq, since: now)
        return now
    }

    mutating func didTake(_ letter: InboxLetter, in entry: EntryID, _ conversation: ConversationID) {
        taken = Array(taken.suffix(ClientLimits.rememberedLetters - 1))
        taken.append(TakenLetter(letter: letter.digest, conversation: conversation, entry: entry))
    }

    /// Whether a letter that is still remembered led to a conversation.
    func ledTo(_ conversation: ConversationID) -> Bool { taken.contains { $0.conversation == conversation } }

    init(relay: RelayID, purpose: Purpose, random: RandomSource) {
        self.relay = relay
        self.purpose = purpose
        channel = ChannelID.random(from: random)
        readToken = Token.random(from: random)
        appendToken = Token.random(from: random)
        turnToken = Token.random(from: random)
        sealKey = InboxSealKey(random: random)
    }

    /// Whether the invite to it has run out.
    func isExpired(now: UInt64) -> Bool {
        if case .invite(_, let expiresAt) = purpose { expiresAt.asMilliseconds <= now } else { false }
    }

    /// Whether the inbox is to be closed once everything that came in time was read.
    func isOver(now: UInt64) -> Bool { isSpent || isExpired(now: now) }

    var access: Access {
        Access(read: Grant(for: readToken), append: Grant(for: appendToken), turn: Grant(for: turnToken))
    }

    private static let version: UInt8 = 6

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 256)
        writer.write(Self.version)
        writer.write(relay.rawValue)
        writer.write(channel)
        writer.write(readToken)
        writer.write(appendToken)
        writer.write(turnToken)
        writer.write(sealKey)
        switch purpose {
        case .invite(let isReusable, let expiresAt):
            writer.write(UInt8(1))
            writer.write(isReusable)
            writer.write(expiresAt)
        case .contact(let contact):
            writer.write(UInt8(2))
            writer.write(contact.rawValue)
        case .name(let name):
            writer.write(UInt8(3))
            writer.write(name)
        }
        writer.write(lastSeq)
        writer.write(depositedAt)
        writer.write(isClosing)
        writer.write(nextKeyPackage)
        writer.writeVector(taken)
        writer.writeOptional(held)
        writer.write(isSpent)
        writer.write(trimmedSeq)
        writer.write(registeredAt)
        writer.writeVector(aside)
        writer.write(trimAt)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard (1...Self.version).contains(version) else {
            throw .unknownValue(field: "InboxRecord.version", value: UInt64(version))
        }
        relay = RelayID(rawValue: try reader.readUInt64())
        channel = try reader.read()
        readToken = try reader.read()
        appendToken = try reader.read()
        turnToken = try reader.read()
        sealKey = try reader.read()
        switch try reader.readUInt8() {
        case 1: purpose = .invite(isReusable: try reader.readPresence(), expiresAt: try reader.readUInt64())
        case 2: purpose = .contact(ContactID(rawValue: try reader.readUInt64()))
        case 3: purpose = .name(try reader.read())
        case let other: throw .unknownValue(field: "InboxRecord.purpose", value: UInt64(other))
        }
        lastSeq = try reader.readUInt64()
        depositedAt = try reader.readUInt64()
        isClosing = try reader.readPresence()
        nextKeyPackage = try reader.readUInt64()
        taken = version < 4 ? try Self.lettersBeforeVersion4(&reader) : try reader.readVector()
        held = version == 1 ? nil : try reader.readOptional()
        isSpent = version < 3 ? false : try reader.readPresence()
        trimmedSeq = version < 4 ? 0 : try reader.readUInt64()
        // Earlier versions did not note it. The name was registered when the inbox had its first key packages.
        registeredAt = version < 4 ? (purpose.isName ? depositedAt : 0) : try reader.readUInt64()
        if version >= 5 { aside = try reader.readVector(maximumCount: ClientLimits.lettersAside) }
        if version >= 6 { trimAt = try reader.readUInt64() }
        try reader.expectEnd()
    }

    /// `struct { opaque letter[32]; uint64 conversation; } letters<V>;`
    private static func lettersBeforeVersion4(_ reader: inout TLSReader) throws(TLSCodecError) -> [TakenLetter] {
        var letters = TLSReader(try reader.readOpaque(limit: 64 * ClientLimits.rememberedLetters))
        var taken: [TakenLetter] = []
        while !letters.isAtEnd {
            taken.append(
                TakenLetter(
                    letter: Array(try letters.readBytes(32)),
                    conversation: ConversationID(rawValue: try letters.readUInt64()), entry: nil))
        }
        return taken
    }
}

extension ChannelID {
    /// A fresh id from a source of randomness.
    static func random(from source: RandomSource) -> ChannelID {
        var generator = SourceGenerator(source: source)
        return random(using: &generator)
    }
}

extension EntryID {
    /// A fresh id from a source of randomness.
    static func random(from source: RandomSource) -> EntryID {
        var generator = SourceGenerator(source: source)
        return random(using: &generator)
    }
}

extension Token {
    /// A fresh token from a source of randomness.
    static func random(from source: RandomSource) -> Token {
        // 32 bytes always make a token.
        Token(source.bytes(32)) ?? .random()
    }
}

/// A generator that draws from a source, so that a run can be repeated.
struct SourceGenerator: RandomNumberGenerator {
    let source: RandomSource

    mutating func next() -> UInt64 { source.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
