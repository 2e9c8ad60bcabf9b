import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Incoming messages", .timeLimit(.minutes(5)))
struct IncomingMessagesTests {
    @Test("are the history first and then new ones, for a slow reader and across restarts")
    func overRestarts() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atBob = try await bob.conversation("alice")
            for number in 0..<5 { _ = try await bob.profile.send("\(number)", to: atBob) }
            var read: [String] = []
            for try await message in alice.profile.incomingMessages(as: "bot") {
                let text = try #require(message.text)
                read.append(text)
                try await message.reply("got \(text)")
                if read.count <= 5 { _ = try await bob.profile.send("\(read.count + 4)", to: atBob) }
                if read.count == 8 { break }
            }
            let again = try await alice.reopened()
            for try await message in again.profile.incomingMessages(as: "bot") {
                #expect(!message.isRepeated)
                read.append(try #require(message.text))
                try await message.acknowledge()
                if read.count == 10 { break }
            }
            #expect(read == (0..<10).map { "\($0)" })
            let answers = (0..<8).map { "alice: got \($0)" }
            try await eventually({ try await bob.texts(atBob).filter { $0.hasPrefix("alice") } }) { $0 == answers }
            await again.profile.close()
        }
    }

    @Test("wake a reader that waits, and end with the profile")
    func wake() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let atBob = try await bob.conversation("alice")
            let (ready, isReady) = AsyncStream<String>.makeStream()
            let reading = Task {
                for try await message in alice.profile.incomingMessages(as: "bot") {
                    isReady.yield(message.text ?? "?")
                    try await message.acknowledge()
                }
            }
            var texts = ready.makeAsyncIterator()
            for text in ["one", "two"] {
                _ = try await bob.profile.send(text, to: atBob)
                #expect(await texts.next() == text)
            }
            await alice.profile.close()
            try await reading.value
        }
    }

    @Test("end when the task is cancelled, and throw when another reader takes the cursor")
    func ends() async throws {
        try await withAliceAndBob { alice, bob, _ in
            let cancelled = Task {
                for try await _ in alice.profile.incomingMessages(as: "cancelled") {}
                return true
            }
            try await eventually({ try await alice.profile.cursors() }) { $0 == ["cancelled"] }
            cancelled.cancel()
            #expect(try await cancelled.value)
            var earlier = alice.profile.incomingMessages(as: "bot").makeAsyncIterator()
            var later = alice.profile.incomingMessages(as: "bot").makeAsyncIterator()
            let atBob = try await bob.conversation("alice")
            for text in ["one", "two"] { _ = try await bob.profile.send(text, to: atBob) }
            #expect(try await earlier.next()?.text == "one")
            #expect(try await later.next()?.isRepeated == true)
            await #expect(throws: KithError.cursor(.takenOver("bot"))) { try await earlier.next() }
            #expect(try await later.next()?.text == "two")
        }
    }

    @Test("throw the error that ended the profile")
    func failure() async throws {
        try await withAliceAndBob { alice, bob, _ in
            _ = try await bob.profile.send("ping", to: try await bob.conversation("alice"))
            var messages = alice.profile.incomingMessages(as: "bot").makeAsyncIterator()
            let ping = try #require(try await messages.next())
            alice.store.failCommits(with: .full)
            await #expect(throws: KithError.store(.full)) { try await ping.reply("pong") }
            await #expect(throws: KithError.store(.full)) { try await messages.next() }
        }
    }

    @Test("of strangers come once they are accepted, by the reader if it may")
    func strangers() async throws {
        try await withRelay { server in
            let relay = server.point
            let (bot, stranger) = (try await Person("bot"), try await Person("stranger"))
            let invite = try await bot.profile.createInvite(at: relay, isReusable: true).invite
            let there = try await stranger.profile.join(invite)
            _ = try await stranger.profile.send("ping", to: there)
            for try await message in bot.profile.incomingMessages(as: "bot", acceptsStrangers: true) {
                #expect(message.text == "ping")
                try await message.reply("pong")
                break
            }
            try await eventually({ try await stranger.texts(there) }) { $0 == ["stranger: ping", "bot: pong"] }
            await bot.profile.close()
            await stranger.profile.close()
        }
    }
}
