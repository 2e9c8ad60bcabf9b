import Foundation
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

/// The output of commands, and the data they keep, while the relay is away or refuses a request.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RelayOutageTests {
    @Test(
        "texts and invitations survive an outage of the relay, and the same commands continue"
    )
    func away() async throws {
        try await withTemporaryFolder { folder in
            let relay = try await StormRelay(in: folder)
            let ann = try await CommandPerson("Ann", in: folder)
            let bob = try await CommandPerson("Bob", in: folder)
            let carol = try await CommandPerson("Carol", in: folder)
            let place = ["--relay", relay.address, "--pin", relay.pin]
            let invite = try #require(try await ann.run(["invite"] + place).lines.first)
            let joined = try await bob.run("join", invite)
            #expect(joined.code == 0, "\(joined.complaints)")
            let registered = try await ann.run(["register", "ann"] + place)
            #expect(registered.code == 0, "\(registered.complaints)")
            let found = try await carol.run(["lookup", "ann"] + place)
            #expect(found.code == 0, "\(found.complaints)")
            let second = try #require(try await bob.run(["invite"] + place).lines.first)

            await relay.kill()
            let piped = try await bob.run("chat", "Ann", "--timeout", "2s", input: "first")
            #expect(piped.code == 4, "\(piped.complaints)")
            let sent = try await carol.run("send", "--timeout", "2s", "ann", "do not lose me")
            #expect(sent.code == 4, "\(sent.complaints)")
            let joining = try await carol.run("join", "--no-chat", "--timeout", "2s", second)
            #expect(joining.code == 4, "\(joining.complaints)")
            let waits = try await carol.run("status").lines.first { $0.hasPrefix("to be sent") }
            #expect(waits?.hasSuffix("1 message, 2 invitations") == true, "\(waits ?? "")")

            try await relay.start()
            let again = try await carol.run("join", "--no-chat", second)
            #expect(again.code == 0, "\(again.complaints)")
            let listed = try await carol.run("list")
            #expect(listed.lines.count { $0.contains("Bob") } == 1, "\(listed.lines)")
            for person in [bob, carol] { try await person.listen { try await person.hasSentAll() } }
            try await ann.hear("first")
            try await ann.listen("--accept") { try await ann.run("search", "lose me").lines.count == 1 }
            await relay.kill()
        }
    }

    @Test("piped chat ends at once with exit code 3 if the relay's key is wrong, and keeps its texts")
    func otherKey() async throws {
        try await withTemporaryFolder { folder in
            let relay = try await StormRelay(in: folder)
            let ann = try await CommandPerson("Ann", in: folder)
            let bob = try await CommandPerson("Bob", in: folder)
            let invite = try #require(
                try await ann.run("invite", "--relay", relay.address, "--pin", relay.pin).lines.first)
            #expect(try await bob.run("join", invite).code == 0)
            await relay.kill()
            try FileManager.default.removeItem(at: relay.data)
            try await relay.start()
            // Without a timeout, only the wrong key can end the command.
            for arguments in [["chat", "Ann"], ["chat", "Ann", "--json"]] {
                let piped = try await bob.run(arguments + ["--timeout", "0"], input: "keep this")
                #expect(piped.code == 3, "\(piped.complaints)")
                let last = try #require(piped.complaints.last)
                #expect(
                    last.contains("the relay's key is not the expected one") && last.contains("waits on this device"))
            }
            #expect(try await bob.run("status", "--json").objects.first?["queued"] as? Int == 2)
            await relay.kill()
        }
    }

    @Test("chat accepts a relay's new pass, and refuses options that don't fit a known contact")
    func pass() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("pass")
            func setPass(_ text: String) throws {
                try Data(text.utf8).write(to: file)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            }
            try setPass("first")
            let relay = try await StormRelay(in: folder, options: ["--relay-pass-file", file.path])
            let ann = try await CommandPerson("Ann", in: folder)
            let bob = try await CommandPerson("Bob", in: folder)
            let place = ["--relay", relay.address, "--relay-pass-file", file.path]
            let invite = try #require(try await ann.run(["invite"] + place).lines.first)
            let joined = try await bob.run("join", invite)
            #expect(joined.code == 0, "\(joined.complaints)")
            await relay.kill()
            try setPass("second")
            try await relay.start()

            let refused = try await bob.run("send", "Ann", "--timeout", "0", "hello")
            #expect(refused.code == 1, "\(refused.complaints)")
            #expect(refused.complaints.last?.contains("kith invite --relay-pass-file FILE") == true)
            let elsewhere = try await bob.run("chat", "Ann", "--relay", "127.0.0.1:1", input: "hello")
            #expect(elsewhere.code == 1)
            #expect(elsewhere.complaints.first?.contains("Ann is known here, at the relay \(relay.address)") == true)
            let pin = String(repeating: "a", count: 64)
            let otherPin = try await bob.run("chat", "Ann", "--relay", relay.address, "--pin", pin, input: "hello")
            #expect(otherPin.code == 3)
            let given = try await bob.run(["chat", "Ann"] + place, input: "again")
            #expect(given.code == 0, "\(given.complaints)")
            #expect(try await bob.run("send", "Ann", "and again").code == 0)
            // The pass alone is enough, because the profile knows the relay.
            let alone = try await ann.run("invite", "--relay-pass-file", file.path)
            #expect(alone.code == 0, "\(alone.complaints)")
            #expect(try await ann.run("send", "Bob", "hello").code == 0)
            let none = try await ann.run("invite", "--list", "--relay-pass-file", file.path)
            #expect(none.code == 64)
            // A pass that the relay refuses is not remembered.
            try setPass("third")
            for command in [["invite"], ["chat", "Ann"]] {
                let wrong = try await bob.run(command + place, input: "hello")
                #expect(wrong.code == 1 && wrong.complaints.last?.contains("--relay-pass-file") == true, "\(wrong)")
            }
            #expect(try await bob.run("send", "Ann", "once more").code == 0)
            await relay.kill()
        }
    }

    @Test("a guest who restores a backup needs no pass file, because the backup has the pass of the invite")
    func passInBackup() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("pass")
            try Data("the pass".utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            let relay = try await StormRelay(in: folder, options: ["--relay-pass-file", file.path])
            let ann = try await CommandPerson("Ann", in: folder)
            let bob = try await CommandPerson("Bob", in: folder)
            let place = ["--relay", relay.address, "--relay-pass-file", file.path]
            let invite = try #require(try await ann.run(["invite"] + place).lines.first)
            #expect(try await bob.run("join", invite).code == 0)
            try await ann.listen { try await ann.run("list").lines.count == 1 }
            let backup = bob.folder.appendingPathComponent("backup").path
            let options = ["--passphrase-file", file.path]
            #expect(try await bob.run(["export", backup] + options).code == 0)
            let again = ["--profile", "again"]
            #expect(try await bob.run(["import", backup, "--yes", "--no-passphrase"] + options + again).code == 0)
            let line = try #require(try await bob.run(["invite"] + again).lines.first)
            #expect(try await ann.run("join", line).code == 0)
            try await bob.listen("--profile", "again") {
                try await bob.run(["list", "--json"] + again).objects.map { $0["status"] as? String } == ["active"]
            }
            await relay.kill()
        }
    }

    @Test("an unsendable line leads to an exit code, and later lines are sent")
    func refused() async throws {
        try await ChatFixture.run { fixture in
            let chat = try KithProcess(["chat", "bob"], folder: fixture.home)
            try chat.write("a NUL \u{0} is no text")
            try chat.write("short")
            try chat.endInput()
            #expect(await chat.exitCode() == 1)
            #expect(await chat.complaintsLeft().contains { $0.contains("not sent") })
            try await fixture.bobGets("short")
            // Finished when Alice's device has removed Bob's.
            let leaving = Task { try await fixture.bob.leave(fixture.conversation) }
            let listening = try KithProcess(["listen"], folder: fixture.home)
            try await leaving.value
            listening.signal(SIGTERM)
            _ = await listening.exitCode()
            for json in [[], ["--json"]] {
                let alone = try KithProcess(["chat", "#1"] + json, folder: fixture.home)
                try alone.write("is anybody there?")
                try alone.endInput()
                let lines = await alone.rest()
                #expect(await alone.exitCode() == 1)
                #expect(json.isEmpty || lines.contains { $0.contains("\"event\":\"error\"") }, "\(lines)")
            }
        }
    }
}
