import KithWire
import MLS
import TLSCodec

/// An inbox of this device. It is a channel into which other people put Welcomes, and from which they take key packages.
struct InboxRecord: Sendable {
    /// The people who may use the inbox.
    enum Purpose: Hashable, Sendable {
        /// One person, or several people, who have an invite. The invite expires at `expiresAt`, in seconds since 1970.
        case invite(isReusable: Bool, expiresAt: UInt64)
        /// One contact, who has got the address in a conversation of two.
        case contact(ContactID)
        /// Everyone who looks up a name at the relay.
        case name(Name)
    }

    let relay: RelayID
    let channel: ChannelID
    let readToken: Token
    let appendToken: Token
    let turnToken: Token
    let sealKey: InboxSealKey
    let purpose: Purpose
    /// The seq of the last entry that was processed.
    private(set) var lastSeq: UInt64 = 0
    /// The time of the last deposit of key packages, in milliseconds since 1970; 0 if there was none.
    private(set) var depositedAt: UInt64 = 0
    /// Whether the inbox's invite is for one person and was used. If so, later users are declined until the inbox is closed.
    private(set) var isUsed = false
    /// Whether the inbox is being closed. If so, further letters are ignored.
    private(set) var isClosing = false
    private(set) var nextKeyPackage: UInt64 = 1
    /// The seq of the last entry that the relay has dropped at this device's request.
    private(set) var trimmedSeq: UInt64 = 0
    /// The time at which the relay will next be told to drop letters that were read, in milliseconds since 1970. 0 if no time was
    /// chosen, or if only a few people have the address.
    private(set) var trimAt: UInt64 = 0
    /// The time at which the relay last confirmed the inbox's name, in milliseconds since 1970; 0 if it never did.
    private(set) var registeredAt: UInt64 = 0
    /// The entry whose letter waits for a group's tree, and the start of the wait. Later entries wait for this entry.
    private(set) var held: HeldEntry?
    /// The latest letters that led to a conversation, each with its digest. The user is warned if one of the letters arrives
    /// again.
    private(set) var taken: [TakenLetter] = []
    /// The letters that stay at the relay and will be read again, in the order of their seqs.
    private(set) var aside: [AsideLetter] = []

    init(relay: RelayID, purpose: Purpose, random: RandomSource) {
        self.relay = relay
        self.purpose = purpose
        channel = ChannelID.random(from: random)
        readToken = Token.random(from: random)
        appendToken = Token.random(from: random)
        turnToken = Token.random(from: random)
        sealKey = InboxSealKey(random: random)
    }

    // MARK: Letters

    /// Notes that an entry waits for its tree. If the entry was already waiting before a restart, that time counts. However, at
    /// least ``ClientLimits/parcelAgainMs`` of the wait remain after the restart, for a retry.
    ///
    /// - Parameter now: the time of the relay's clock, in milliseconds since 1970.
    /// - Returns: the start of the wait, by the relay's clock, in milliseconds since 1970.
    mutating func hold(_ seq: UInt64, now: UInt64) -> UInt64 {
        if let held, held.seq == seq {
            let again = ClientLimits.parcelMs - ClientLimits.parcelAgainMs
            // The bounds are needed, because the clock may have been wrong.
            return max(min(held.since, now), now - min(now, again))
        }
        held = HeldEntry(seq: seq, since: now)
        return now
    }

    /// Called when a letter has led to a conversation.
    mutating func didTake(_ letter: InboxLetter, in entry: EntryID, _ conversation: ConversationID) {
        taken = Array(taken.suffix(ClientLimits.rememberedLetters - 1))
        taken.append(TakenLetter(letter: letter.digest, conversation: conversation, entry: entry))
    }

    /// Whether one of the remembered letters has led to the given conversation.
    func ledTo(_ conversation: ConversationID) -> Bool { taken.contains { $0.conversation == conversation } }

    /// Returns the record of a letter that led to a conversation; `nil` if the letter led to none, or is no longer remembered.
    func taken(_ letter: InboxLetter) -> TakenLetter? {
        let digest = letter.digest
        return taken.first { $0.letter == digest }
    }

    /// Whether an entry arrived after the invite had expired.
    ///
    /// - Parameter now: the time of the device's clock, in milliseconds since 1970.
    func isLate(_ entry: Entry, now: UInt64) -> Bool {
        guard case .invite(_, let expiresAt) = purpose else { return false }
        return isExpired(now: now) && entry.receivedAtMs > expiresAt.asMilliseconds
    }

    /// Whether an entry has to be read, because it is new or was left at the relay.
    func isUnread(_ seq: UInt64) -> Bool { seq > lastSeq || aside.contains { $0.seq == seq } }

    /// Returns the reason why a letter was left at the relay; `nil` if it was not.
    func reasonAside(_ seq: UInt64) -> AsideLetter.Reason? { aside.first { $0.seq == seq }?.reason }

    /// Leaves a letter at the relay. Drops the letter if ``ClientLimits/lettersAside`` letters were already left at the relay:
    /// only a hostile relay has more letters in an inbox.
    mutating func setAside(_ seq: UInt64, _ reason: AsideLetter.Reason) {
        let index = aside.firstIndex { $0.seq >= seq } ?? aside.endIndex
        if index < aside.endIndex, aside[index].seq == seq {
            aside[index].reason = reason
        } else if aside.count < ClientLimits.lettersAside {
            aside.insert(AsideLetter(seq: seq, reason: reason), at: index)
        }
    }

    /// Forgets letters that were left at the relay, because they were processed or no longer exist.
    mutating func forgetAside(_ seqs: ClosedRange<UInt64>) { aside.removeAll { seqs.contains($0.seq) } }

    /// If the start of a wait for a log is in the future, restarts the wait. A start in the future comes from a wrong clock of
    /// the relay.
    mutating func correctWaits(now: UInt64) {
        for index in aside.indices {
            guard case .log(var wait) = aside[index].reason, wait.since > now else { continue }
            wait.since = now
            aside[index].reason = .log(wait)
        }
    }

    /// The relay may drop all entries through this seq, because this device need not read them again.
    var readThrough: UInt64 { aside.first.map { min($0.seq - min(1, $0.seq), lastSeq) } ?? lastSeq }

    /// Called when an entry was processed or left at the relay.
    mutating func didProcess(_ seq: UInt64) { lastSeq = max(lastSeq, seq) }

    /// Called when the entries up to a seq no longer exist.
    mutating func skip(through seq: UInt64) {
        forgetAside(0...seq)
        lastSeq = max(lastSeq, seq)
    }

    // MARK: The relay

    /// Called when the relay has lost the inbox with all its contents.
    mutating func relayLostIt() {
        depositedAt = 0
        lastSeq = 0
        trimmedSeq = 0
        aside = []
    }

    /// Called when the relay has lost entries, and possibly key packages too.
    mutating func relayLostEntries(after seq: UInt64) {
        lastSeq = seq
        aside = []
        trimmedSeq = min(trimmedSeq, seq)
        depositedAt = 0
    }

    /// Sets the time of the next trim.
    ///
    /// - Parameter time: the time of the trim, by the device's clock, in milliseconds since 1970.
    mutating func planTrim(at time: UInt64) { trimAt = time }

    /// Called when the relay has dropped entries.
    mutating func didTrim(through seq: UInt64) { trimmedSeq = max(trimmedSeq, min(seq, readThrough)) }

    /// Called when the relay has this profile's record under the inbox's name.
    mutating func didRegister(at wall: UInt64) { registeredAt = max(1, wall) }

    /// Begins to close the inbox. Further letters are ignored.
    mutating func close() { isClosing = true }

    /// Called when the inbox's invite, which is for one person, has been used.
    mutating func didUse() { isUsed = true }

    // MARK: Key packages

    /// Returns the number for the next key package.
    mutating func takeKeyPackageNumber() -> UInt64 {
        defer { nextKeyPackage += 1 }
        return nextKeyPackage
    }

    /// Called when the relay has fresh key packages.
    mutating func didDeposit(at wall: UInt64) { depositedAt = max(1, wall) }

    /// Called when the key packages at the relay are no longer valid. Causes the device to replace them.
    mutating func keyPackagesExpired() { depositedAt = 1 }

    /// Whether the inbox's invite has expired.
    func isExpired(now: UInt64) -> Bool {
        if case .invite(_, let expiresAt) = purpose { expiresAt.asMilliseconds <= now } else { false }
    }

    /// Whether the inbox has to be closed as soon as everything that arrived in time has been read.
    func isOver(now: UInt64) -> Bool { isUsed || isExpired(now: now) }

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
        writer.write(isUsed)
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
        isUsed = version < 3 ? false : try reader.readPresence()
        trimmedSeq = version < 4 ? 0 : try reader.readUInt64()
        // Earlier versions did not store this time. They registered the name when they deposited the inbox's first key packages.
        registeredAt = version < 4 ? (purpose.isName ? depositedAt : 0) : try reader.readUInt64()
        if version >= 5 { aside = try reader.readVector(maximumCount: ClientLimits.lettersAside) }
        if version >= 6 { trimAt = try reader.readUInt64() }
        try reader.expectEnd()
    }

    /// Reads the letters of a record from before version 4, in which they have no entry id.
    ///
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
