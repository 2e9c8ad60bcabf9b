import Foundation
import RelayTestSupport
import TestSupport
import Testing

@testable import kith

/// The commands as a script uses them: a process for every step, and a real relay.
@Suite(.timeLimit(.minutes(5))) struct CommandTests {
    @Test("two people meet by an invite, exchange a message, read it and verify each other")
    func two() async throws {
        try await withAnnAndBob { ann, bob, _ in
            let sent = try await bob.run("send", "ann", "--json", "grüß dich 🦊")
            #expect(sent.code == 0, "\(sent.complaints)")
            #expect(sent.objects.first?["delivery"] as? String == "onRelay")
            try await ann.hear("grüß dich 🦊")
            let stored = try await bob.run("send", "ann", "--no-wait", "--json", "not on the relay yet")
            #expect(stored.objects.map { $0["text"] as? String } == ["not on the relay yet"])
            #expect(try await bob.run("send", "ann", "both are now").code == 0)
            try await ann.hear("not on the relay yet")
            let story = try await ann.run("history", "Bob", "--json").objects.first {
                $0["text"] as? String == "grüß dich 🦊"
            }
            let seq = try #require(story?["seq"] as? Int)
            // The epoch depends on which device renewed its keys first.
            let explained = try await ann.run("explain", "Bob", "\(seq)").lines.first ?? ""
            #expect(explained.hasPrefix("Entry \(seq) of “Bob”, in epoch ") && explained.hasSuffix(", a message."))
            #expect(try await ann.run("search", "DICH").lines.count == 1)
            #expect(try await ann.run("search", "nothing like it").code == 1)
            // Both see the same number.
            let numbers = try await [ann.run("verify", "Bob", "--json"), bob.run("verify", "Ann", "--json")]
            #expect(
                numbers[0].objects.first?["safetyNumber"] as? String == numbers[1].objects.first?["safetyNumber"]
                    as? String)
            #expect(numbers[0].objects.first?["safetyNumber"] != nil)
            #expect(try await ann.run("verify", "Bob", "--yes").code == 0)
            #expect(try await ann.run("contacts", "--json").objects.first?["trust"] as? String == "compared")
        }
    }

    @Test("a second use of an invite finds the existing conversation")
    func joinTwice() async throws {
        try await withAnnAndBob { ann, bob, relay in
            let line = try #require(try await ann.run("invite", "--relay", relay, "--reusable").lines.first)
            #expect(try await bob.run("join", line).lines == ["Ann"])
            #expect(try await bob.run("list", "--json").objects.count == 1)
            let own = try await ann.run("join", line)
            #expect(own.code == 1)
            #expect(own.complaints == ["kith: this profile made the invite; it is for another person"])
        }
    }

    @Test(
        "a group is created and renamed, and a removed member is told")
    func group() async throws {
        try await withAnnAndBob { ann, bob, relay in
            let carol = try await CommandPerson("Carol", in: ann.folder.deletingLastPathComponent())
            let line = try #require(try await carol.run("invite", "--relay", relay).lines.first)
            #expect(try await ann.run("join", line).lines == ["Carol"])
            // A person can be added once Ann has their inbox address, which they send when they come back.
            for person in [bob, carol] {
                _ = try await person.run("send", "Ann", "here I am")
            }
            try await ann.hear("here I am", times: 2)
            let made = try await ann.run("group", "create", "team", "bob", "carol")
            #expect(made.complaints == ["[team: you, Bob, Carol]"])
            try await waitForGroup("team", bob)
            #expect(try await bob.run("send", "team", "hello all").code == 0)
            try await carol.hear("hello all")
            #expect(try await ann.run("group", "rename", "team", "crew").complaints == ["[team is crew now]"])
            #expect(try await ann.run("group", "remove", "crew", "carol").code == 0)
            #expect(try await ann.run("group", "members", "crew").lines.count == 2)
            try await carol.listen {
                try await carol.run("send", "crew", "let me in").complaints == [
                    "kith: Ann removed you from this conversation"
                ]
            }
        }
    }

    @Test(
        "groups of one name are told apart by number, a member is not added twice, and an empty group leaves the list")
    func equalNames() async throws {
        try await withAnnAndBob { ann, bob, _ in
            _ = try await bob.run("send", "Ann", "here I am")
            try await ann.hear("here I am")
            #expect(try await ann.run("group", "create", "team", "Bob").complaints == ["[team: you, Bob]"])
            #expect(
                try await ann.run("group", "create", "team", "Bob").complaints == [
                    "[team: you, Bob]",
                    "[another conversation is called team, too; in commands, write '#3' for this one]",
                ])
            let sent = try await ann.run("send", "team", "hello")
            #expect(sent.code == 1)
            let complaint = try #require(sent.complaints.first)
            #expect(complaint.hasPrefix("kith: team is the name of several conversations; write the number: '#"))
            for number in ["'#2' (the group team of 2, ", "'#3' (the group team of 2, "] {
                #expect(complaint.contains(number), "\(complaint)")
            }
            // The number in the sentence works in a shell.
            #expect(try await ann.shell("kith send '#3' hello").code == 0)

            let twice = try await ann.run("group", "add", "#3", "Bob")
            #expect(twice.code == 1)
            #expect(
                twice.complaints.first?.contains(" is a member already. For a new device, ask Bob for an invite")
                    == true)
            #expect(try await ann.run("group", "add", "#3", "Bob", "--again").complaints == ["[added Bob]"])

            try await bob.hear("hello")
            // Bob's numbers may be in another order.
            let here = try #require(
                try await bob.run("search", "hello", "--json").objects.first?["conversation"] as? Int)
            let leaving = try bob.start(["group", "leave", "#\(here)", "--yes", "--timeout", "0"])
            try await ann.listen { try await ann.run("list").lines.allSatisfy { !$0.hasPrefix("#3 ") } }
            #expect(await leaving.exitCode() == 0)
            let all = try await ann.run("list", "--all").lines
            #expect(all.contains { $0.hasPrefix("#3 ") && $0.hasSuffix("all other members have left") }, "\(all)")
        }
    }

    private func waitForGroup(_ name: String, _ person: CommandPerson) async throws {
        try await person.listen {
            try await person.run("list", "--json").objects.contains { $0["name"] as? String == name }
        }
    }

    @Test(
        "send leaves its text for the process that has the profile open, and reading works beside it")
    func sendToOwner() async throws {
        try await withAnnAndBob { ann, bob, _ in
            let listener = try ann.start(["listen", "--json"])
            while let line = await listener.line(), !line.contains("\"connected\"") {}
            let sent = try await ann.run("send", "bob", "--json", "through the other one")
            #expect(sent.code == 0, "\(sent.complaints)")
            #expect(sent.objects.first?["seq"] != nil)
            #expect(try await ann.run("list").code == 0)
            #expect(try await ann.run("history", "bob").lines.last?.hasSuffix("you: through the other one") == true)
            let refused = try await ann.run("group", "rename", "bob", "x")
            #expect(refused.code == 5)
            #expect(refused.complaints.count == 1)
            listener.signal(SIGTERM)
            _ = await listener.rest()
            #expect(await listener.exitCode() == 0)
            try await bob.hear("through the other one")
        }
    }

    @Test("ctrl-C ends a listener whose output is blocked")
    func stalledOutput() async throws {
        try await withAnnAndBob { ann, bob, _ in
            let listener = try ann.start(["listen"])
            let text = String(repeating: "x", count: 60_000)
            for _ in 0..<3 { #expect(try await bob.run("send", "ann", input: text).code == 0) }
            // The pipe holds the first message and a part of the second. The rest waits.
            try await eventually { listener.unreadOutput > 62_000 }
            listener.signal(SIGINT)
            #expect(await listener.exitCode() == 1)
        }
    }

    @Test("a backup becomes a new device of the same person, with the history")
    func backup() async throws {
        try await withAnnAndBob { ann, bob, _ in
            _ = try await bob.run("send", "ann", "before")
            try await ann.hear("before")
            let parent = ann.folder.deletingLastPathComponent()
            let passphrase = parent.appendingPathComponent("pw")
            try Data("a passphrase\n".utf8).write(to: passphrase)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passphrase.path)
            let file = parent.appendingPathComponent("backup").path
            let written = try await ann.run("export", file, "--passphrase-file", passphrase.path)
            #expect(written.code == 0, "\(written.complaints)")
            #expect(try await ann.run("export", file, "--passphrase-file", passphrase.path).code == 1)
            let arguments = ["import", file, "--passphrase-file", passphrase.path, "--yes", "--profile", "restored"]
            let restored = try ann.start(arguments)
            #expect(await restored.line() == "You are Ann again, on \(try await deviceName(ann)).")
            _ = await restored.rest()
            #expect(await restored.exitCode() == 0)
            let lines = try await ann.run("history", "bob", "--profile", "restored").lines
            #expect(lines.last?.hasSuffix("Bob: before") == true)
            let refused = try await ann.run("send", "bob", "hi", "--profile", "restored")
            #expect(refused.code == 1)
            #expect(refused.complaints.first?.contains("a member has to add it again") == true)
        }
    }

    private func deviceName(_ person: CommandPerson) async throws -> String {
        try #require(try await person.run("status", "--json").objects.first?["device"] as? String)
    }

    @Test("invalid input is refused in one line and changes nothing")
    func rubbish() async throws {
        try await withTemporaryFolder { folder in
            let ann = try await CommandPerson("Ann", in: folder)
            let cases: [([String], Int32)] = [
                (["join", "kith:AAAA"], 1), (["join", "not an invite"], 1),
                (["join", String(repeating: "k", count: 100_000)], 1),
                (["send", "nobody", "hi"], 1), (["history", "nobody"], 1), (["invite"], 1),
                (["invite", "--relay", "127.0.0.1:1", "--timeout", "1s"], 4),
                (["lookup", "bob", "--relay", "127.0.0.1:1"], 4), (["register", "ann", "--relay", "127.0.0.1:1"], 4),
                (["chat", "bob", "--relay", "127.0.0.1:1"], 1),
                (["chat", "bob", "--yes", "--relay", "127.0.0.1:1"], 4),
                (["join"], 64),
                (["contacts", "show", "\u{1B}[31mred"], 1),
                (["init", "--yes"], 1),
            ]
            for (arguments, code) in cases {
                let process = try ann.start(arguments)
                try process.endInput()
                #expect(await process.rest() == [])
                let complaints = await process.complaintsLeft()
                #expect(
                    complaints.count == 1 && complaints.allSatisfy { $0.hasPrefix("kith: ") },
                    "\(arguments): \(complaints)")
                #expect(!complaints.joined().contains("\u{1B}"))
                #expect(await process.exitCode() == code, "\(arguments)")
            }
            #expect(try await ann.run("list", "--json").lines == [])
        }
    }

    @Test("a wrong relay key fails at once, whatever the timeout")
    func otherKey() async throws {
        try await withAnnAndBob { ann, _, relay in
            let carol = try await CommandPerson("Carol", in: ann.folder.deletingLastPathComponent())
            let wrong = ["--relay", relay, "--pin", String(repeating: "a", count: 64), "--timeout", "0"]
            for arguments in [["invite"], ["register", "carol"], ["lookup", "ann"], ["invite"]] {
                let outcome = try await carol.run(arguments + wrong)
                #expect(outcome.code == 3, "\(outcome.complaints)")
                #expect(outcome.complaints.count == 1)
                #expect(outcome.complaints.last?.contains("the relay's key is not the expected one") == true)
            }
            // An impostor at another relay is no reason to give up a request to this one.
            try await withRelay { other in
                let invite = try #require(
                    try await ann.run("invite", "--relay", other.address.description).lines.first)
                #expect(try await carol.run("join", invite).code == 0)
            }
        }
    }

    @Test("the example bot answers")
    func bot() async throws {
        try await withAnnAndBob { ann, bob, _ in
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../../Examples/bot.py").standardizedFileURL
            let bot = Process()
            bot.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            bot.arguments = ["python3", script.path]
            bot.environment = ProcessInfo.processInfo.environment
                .merging(["KITH_HOME": bob.folder.path, "KITH": BuiltProgram.kith.path]) { $1 }
            try bot.run()
            // The bot inherits blocked signals from the test process. Its `kith` notices that the bot is gone.
            defer { kill(bot.processIdentifier, SIGKILL) }
            #expect(try await ann.run("send", "bob", "ping").code == 0)
            try await ann.hear("pong")
            kill(bot.processIdentifier, SIGKILL)
            try await eventually { try await bob.run("send", "Ann", "by hand", "--json").objects.first?["seq"] != nil }
        }
    }
}
