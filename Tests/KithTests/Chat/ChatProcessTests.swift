import Foundation
import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// `kith chat` without a terminal.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ChatProcessTests {
    @Test("input lines are messages, messages are output lines, and the end waits for the relay")
    func lines() async throws {
        try await ChatFixture.run { fixture in
            try await fixture.say("before")
            let chat = try KithProcess(["chat", "bob"], folder: fixture.home)
            #expect(await chat.line() == "bob (verified) : before")
            try chat.write("/etc/hosts changed")
            try chat.write("done 🙂")
            try chat.endInput()
            #expect(await chat.exitCode() == 0)
            try await fixture.bobGets("/etc/hosts changed")
            try await fixture.bobGets("done 🙂")
        }
    }

    @Test("--json prints objects, and --no-receipts sends no receipts")
    func json() async throws {
        try await ChatFixture.run { fixture in
            struct Object: Decodable {
                let event: String
                let text: String?
                let verified: Bool?
                let delivery: String?
            }
            let chat = try KithProcess(["chat", "bob", "--json", "--no-receipts"], folder: fixture.home)
            func next(where isWanted: (Object) -> Bool) async throws -> Object? {
                while let line = await chat.line() {
                    let object = try JSONDecoder().decode(Object.self, from: Data(line.utf8))
                    if isWanted(object) { return object }
                }
                return nil
            }
            try await fixture.say("hello")
            let message = try await next { $0.event == "message" && $0.text != nil }
            #expect(message?.text == "hello")
            #expect(message?.verified == true)
            try chat.write("and back")
            try await fixture.bobGets("and back")
            // Bob may receive the text before its sender learns that the relay accepted it. A sender stopped before
            // that ends with another exit code.
            let accepted = try await next { $0.event == "delivery" && $0.delivery != "queued" }
            #expect(accepted?.text == "and back")
            let own = try await fixture.bob.history(of: fixture.conversation).first { $0.body == .text("hello") }
            #expect(own?.delivery == .onRelay)
            chat.signal(SIGTERM)
            #expect(await chat.exitCode() == 0)
        }
    }

    @Test("a line that is too long for a message is sent as a file, and the exit code is 0")
    func tooLong() async throws {
        try await ChatFixture.run { fixture in
            let chat = try KithProcess(["chat", "bob"], folder: fixture.home)
            try chat.write("one")
            try chat.write(String(repeating: "x", count: ClientLimits.text + 1))
            try chat.write("two")
            try chat.endInput()
            #expect(await chat.exitCode() == 0)
            try await fixture.bobGets("one")
            try await fixture.bobGets("two")
            try await fixture.bobGetsFile(ofBytes: ClientLimits.text + 1)
        }
    }

    @Test("a profile that is open elsewhere is refused, with the number of the process")
    func inUse() async throws {
        try await ChatFixture.run { fixture in
            let first = try KithProcess(["chat", "bob"], folder: fixture.home)
            try await first.complaint(with: "[connected to the relay")
            let second = try KithProcess(["chat", "bob"], folder: fixture.home)
            #expect(await second.exitCode() == 5)
            let complaints = await second.complaintsLeft()
            #expect(complaints.first?.contains("another process has the profile open (process ") == true)
            try first.endInput()
            #expect(await first.exitCode() == 0)
        }
    }

    @Test("an unknown name is not sent to a relay without consent")
    func unknown() async throws {
        try await ChatFixture.run { fixture in
            let nobody = try KithProcess(["chat", "nobody"], folder: fixture.home)
            #expect(await nobody.exitCode() == 1)
            let complaints = await nobody.complaintsLeft()
            #expect(complaints.last?.contains("kith lookup “nobody”") == true)
            #expect(!complaints.contains { $0.contains("asking the relay") })
            let near = try KithProcess(["chat", "bbo"], folder: fixture.home)
            #expect(await near.exitCode() == 1)
            #expect(await near.complaintsLeft().last?.contains("did you mean bob?") == true)
            let carol = try await ChatFixture.profile("carol", in: fixture.relay)
            try await carol.register(try #require(Name("carol")), at: fixture.relay.point)
            let asked = try KithProcess(["chat", "carol"], folder: fixture.home)
            #expect(await asked.exitCode() == 1)
            let started = try KithProcess(["chat", "carol", "--yes"], folder: fixture.home)
            try started.write("hello stranger")
            try started.endInput()
            #expect(await started.exitCode() == 0)
            await carol.close()
        }
    }
}
