import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("The events of a profile", .timeLimit(.minutes(5)))
struct EventStreamTests {
    /// Reads events, and returns the messages up to the one that is wanted.
    private static func messages(
        of events: inout AsyncStream<KithEvent>.Iterator, through isLast: (Message) -> Bool
    ) async -> [Message] {
        var messages: [Message] = []
        while let event = await events.next() {
            guard case .message(let message) = event else { continue }
            messages.append(message)
            if isLast(message) { break }
        }
        return messages
    }

    @Test("bring a subscriber that is slow by a thousand messages each of them once, in order")
    func slow() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let (atAlice, atBob) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            // Room for 64 messages.
            let room = 64 * (ClientLimits.eventBytes + 8)
            var events = await alice.profile.events(from: .now, limit: room).makeAsyncIterator()
            let texts = (0..<1_200).map { "\($0)" }
            for text in texts { try await bob.profile.send(text, to: atBob) }
            var heard = await Self.messages(of: &events) { $0.text == texts[9] }
            try await eventually({ try await alice.profile.history(of: atAlice, limit: 1).last?.text }) {
                $0 == texts.last
            }
            try await alice.profile.send("all here", to: atAlice)
            heard += await Self.messages(of: &events) { $0.text == "all here" && $0.seq != nil }
            #expect(heard.filter { $0.author != .me && $0.text != nil }.map(\.text) == texts)
            // Nothing is read twice, and later events come as they happen.
            try await bob.profile.send("later", to: atBob)
            let later = await Self.messages(of: &events) { $0.text == "later" }
            #expect(later.filter { $0.author != .me }.compactMap(\.text) == ["later"])
        }
    }

    @Test("begin with the unread messages of others, by request")
    func unread() async throws {
        let fixture = try CursorFixture()
        let ids = [try fixture.conversation(), try fixture.conversation()]
        for number in 0..<1_000 {
            for id in ids {
                try fixture.say("\(number)", in: id)
                try fixture.say("own", in: id, by: .me)
                try fixture.receipt(in: id)
            }
        }
        for id in ids { try fixture.change(id) { $0.didRead(through: 300, unread: 900) } }
        let profile = try await Profile.open(over: fixture.store)
        let texts = (100..<1_000).map { "\($0)" }
        for (start, conversations) in [(EventStart.unread, ids), (.unreadIn(ids[1]), [ids[1]])] {
            var events = await profile.events(from: start).makeAsyncIterator()
            var read: [ConversationID: [String]] = [:]
            while read.values.contains(where: { $0.count < texts.count }) || read.count < conversations.count {
                guard case .message(let message) = await events.next() else { continue }
                read[message.conversation, default: []].append(message.text ?? "?")
            }
            #expect(read == Dictionary(conversations.map { ($0, texts) }) { $1 })
        }
        await profile.close()
    }

    @Test("end after the last event of a closed profile, also if it has to be read from the vault")
    func closed() async throws {
        let fixture = try CursorFixture()
        let id = try fixture.conversation()
        for number in 0..<200 { try fixture.say("\(number)", in: id) }
        let profile = try await Profile.open(over: fixture.store)
        let events = await profile.events(from: .unread)
        await profile.close()
        var texts: [String] = []
        for await event in events { if case .message(let message) = event { texts.append(message.text ?? "?") } }
        #expect(texts == (0..<200).map { "\($0)" })
    }

    @Test("end, and close the profile with the reason, if the vault can't be read")
    func unreadable() async throws {
        let fixture = try CursorFixture()
        let id = try fixture.conversation()
        try fixture.say("lost", in: id)
        let profile = try await Profile.open(over: fixture.store)
        let events = await profile.events(from: .unread)
        fixture.store.failReads(with: .full)
        for await event in events { if case .message(let message) = event { Issue.record("\(message)") } }
        #expect(await profile.failure == .store(.full))
        await profile.close()
    }
}
