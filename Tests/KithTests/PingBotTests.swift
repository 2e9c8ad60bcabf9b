import Foundation
import KithClient
import RelayTestSupport
import TestSupport
import Testing

@Suite("The example bot", .timeLimit(.minutes(5)))
struct PingBotTests {
    private func start(_ relay: TestRelay) throws -> KithProcess {
        try KithProcess(
            [relay.folder.appending(path: "bot").path, relay.address.description], folder: relay.folder,
            program: BuiltProgram.pingBot)
    }

    @Test("answers each ping once, even after a kill")
    func answers() async throws {
        try await withRelay { relay in
            let alice = try await Profile.open(relay.folder.appending(path: "alice"), as: "alice")
            let bot = try start(relay)
            let invite = try Invite(line: try #require(await bot.line()))
            let there = try await alice.join(invite)
            var answers = alice.incomingMessages(as: "test").makeAsyncIterator()
            _ = try await alice.send("hello", to: there)
            let first = try await alice.send("ping", to: there)
            let pong = try #require(try await answers.next())
            #expect(pong.text == "pong" && pong.message.replyTo == first)
            try await pong.acknowledge()
            bot.signal(SIGKILL)
            _ = await bot.exitCode()

            let second = try await alice.send("ping", to: there)
            let again = try start(relay)
            #expect(try Invite(line: try #require(await again.line())) == invite)
            let next = try #require(try await answers.next())
            #expect(next.text == "pong" && next.message.replyTo == second)
            let third = try await alice.send("ping", to: there)
            #expect(try await answers.next()?.message.replyTo == third)
            await alice.close()
        }
    }
}
