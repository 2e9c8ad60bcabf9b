import KithSimulation
import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Meeting")
struct MeetingTests {
    private static let now: UInt64 = 1_750_000_000_000

    private func machine(_ name: String) throws -> (ProfileMachine, MemoryProfileStore) {
        let store = MemoryProfileStore()
        try store.commit(
            try ProfileRecord.new(
                name: name, deviceName: "d", suite: .x25519AES128SHA256Ed25519, now: Self.now, random: .system))
        return (try ProfileMachine(opening: store, now: Self.now), store)
    }

    private func point(pass: RelayPass?) throws -> RelayPoint {
        RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:4433")),
            pin: try #require(RelayPin([UInt8](repeating: 7, count: 32))),
            pass: pass)
    }

    @Test("an invite can't change the pass of a known relay; the user can")
    func passIsKept() throws {
        let (alice, store) = try machine("alice")
        let (mine, theirs) = (try #require(RelayPass("mine")), try #require(RelayPass("theirs")))
        func perform<Answer>(_ command: Command<Answer>) throws {
            try store.commit(try alice.handle([.command(CommandID(rawValue: 1), command)], now: Self.now).transaction)
        }
        let invite = Command.createInvite(
            relay: try point(pass: mine), isReusable: false, expiresAt: Self.now / 1000 + 3_600)
        try perform(invite)
        let address = InboxAddress(
            relay: try point(pass: theirs), channel: .random(), appendToken: .random(),
            sealKey: InboxSealKey(random: .system),
            account: try machine("mallory").0.state.device.account.fingerprint)
        try perform(.join(Invite(inbox: address, name: "mallory", expiresAt: Self.now / 1000 + 3_600), name: nil))
        #expect(alice.state.device.relays.sorted.map(\.point.pass) == [mine])
        try perform(.createInvite(relay: try point(pass: theirs), isReusable: false, expiresAt: Self.now))
        #expect(alice.state.device.relays.sorted.map(\.point.pass) == [theirs])
    }

    @Test("an inbox of an earlier version is read, and a letter blocks it for a day at most, whatever the clock was")
    func inboxes() throws {
        let name = try #require(Name("alice"))
        var record = InboxRecord(relay: RelayID(rawValue: 1), purpose: .name(name), random: .system)
        // Versions 6 and 4 added numbers, version 5 a list, version 3 a flag, version 2 an optional value.
        for (version, added) in [(UInt8(1), 27), (2, 26), (3, 25), (4, 9), (5, 8)] {
            let old = try InboxRecord(stored: [version] + record.encoded.dropFirst().dropLast(added))
            #expect(old.encoded == record.encoded)
        }
        #expect(throws: (any Error).self) { try InboxRecord(stored: [7] + record.encoded.dropFirst()) }

        // Version 4 also added the entry's id to each letter that led to a conversation.
        let entry = EntryID.random()
        record.didTake(try InboxLetter(decoding: [1, 1, 1, 2, 1, 3]), in: entry, ConversationID(rawValue: 9))
        let stored = record.encoded
        let added = try #require(stored.firstRange(of: [1] + entry.encoded))
        let length = added.lowerBound - 41
        #expect(stored[length] == 57)
        let before = stored[..<length] + [40] + stored[(length + 1)..<added.lowerBound] + stored[added.upperBound...]
        let letters = try InboxRecord(stored: [3] + before.dropFirst().dropLast(25)).taken
        #expect(letters.map(\.letter) == record.taken.map(\.letter))
        #expect(letters.map(\.conversation.rawValue) == [9] && letters.map(\.entry) == [nil])

        let (day, minutes, begin): (UInt64, UInt64, UInt64) = (86_400_000, 600_000, 1_750_000_000_000)
        #expect(record.hold(7, now: begin) == begin)
        let again = try InboxRecord(stored: record.encoded)
        #expect(again.encoded == record.encoded)
        #expect(record.hold(7, now: begin + 1_000) == begin)
        // A connection after a week leaves time for another try.
        #expect(record.hold(7, now: begin + 7 * day) == begin + 6 * day + minutes)
        #expect(record.hold(7, now: begin - day) == begin - day)
        #expect(record.hold(8, now: begin + day) == begin + day)
    }

    @Test("thousands of contacts with the same name get different names")
    func names() {
        var names = NamesInUse(folding: .unicode)
        for number in 1...20_000 {
            let name = names.free("a")
            #expect(name == (number == 1 ? "a" : "a (\(number))"))
            names.didRename(from: nil, to: name)
        }
        names.didRename(from: "a", to: "b")
        #expect(names.free("a") == "a")
        #expect(names.free("b") == "b (2)")
    }

    @Test("a letter opens only with its key package, and only in its inbox")
    func letters() throws {
        let client = try machine("bob").0.state.device.identity.client
        let lifetime = Lifetime(ofKeyPackageMadeAt: Self.now / 1000)
        let bundles = try (0..<2).map { _ in
            try KeyPackageBundle(suite: .x25519AES128SHA256Ed25519, client: client, lifetime: lifetime)
        }
        let message = InboxMessage(
            relay: try point(pass: nil), title: "the title", isDirect: false, welcome: [1, 2, 3], tree: .inWelcome,
            view: .nothing)
        let channel = ChannelID.random()
        let letter = try InboxLetter(message, to: bundles[0].keyPackage, channel: channel, random: .system)
        let sent = try InboxLetter(decoding: letter.encoded)
        #expect(sent.open(with: bundles[0], channel: channel)?.title == "the title")
        #expect(sent.open(with: bundles[1], channel: channel) == nil)
        #expect(sent.open(with: bundles[0], channel: .random()) == nil)
        #expect(!letter.encoded.contains(Array("the title".utf8)))
        #expect(try letter.keyPackage == bundles[0].keyPackage.reference())
    }

    @Test("a turn's reference names one complete commit, with its parts in any order, and never an empty one")
    func references() throws {
        let commit = (0..<ParcelAddress.partLength + 10).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let address = ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 3, count: 32),
            length: UInt32(commit.count))
        let reference = try TurnReference(decoding: TurnReference(to: address, of: commit).encoded)
        func entries(_ payloads: [[UInt8]]) -> [(entry: EntryID, payload: [UInt8])] {
            payloads.map { (.random(), $0) }
        }
        let parts = entries(try #require(address.seal(commit)))
        #expect(parts.count == 2)
        #expect(reference.commit(from: parts) == commit)
        #expect(reference.commit(from: parts.reversed() + parts) == commit)
        #expect(reference.commit(from: [parts[0]]) == nil)
        // The relay reads the key in the turn and can seal another commit. The digest prevents that.
        let other = entries(try #require(address.seal(commit.reversed())))
        #expect(reference.commit(from: other) == nil)
        let empty = ParcelAddress(
            channel: .random(), readToken: .random(), key: [UInt8](repeating: 3, count: 32), length: 0)
        #expect(throws: (any Error).self) { try ParcelAddress(decoding: empty.encoded) }
        // An MLSMessage is never read as a reference.
        #expect(throws: (any Error).self) { try TurnReference(decoding: [0, 1] + reference.encoded.dropFirst(2)) }
    }
}
