import Foundation
import TestSupport
import Testing

@testable import kith

/// The output of inviting, joining and revoking, and its effects.
@Suite(.serialized, .timeLimit(.minutes(5))) struct InvitationTests {
    private func withPeople(
        _ body: (_ relay: StormRelay, _ ann: CommandPerson, _ bob: CommandPerson) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let relay = try await StormRelay(in: folder)
            try await body(
                relay, try await CommandPerson("Ann", in: folder), try await CommandPerson("Bob", in: folder))
            await relay.kill()
        }
    }

    private func invite(_ person: CommandPerson, _ relay: StormRelay) async throws -> (number: String, line: String) {
        let made = try await person.run("invite", "--json", "--relay", relay.address, "--pin", relay.pin)
        let object = try #require(made.objects.first, "\(made.complaints)")
        return ("\(try #require(object["invite"] as? Int))", try #require(object["line"] as? String))
    }

    @Test("a revoked invite is refused, and its number is not used again")
    func withdrawn() async throws {
        try await withPeople { relay, ann, bob in
            let first = try await invite(ann, relay)
            let revoked = try await ann.run("invite", "--revoke", first.number)
            #expect(revoked.code == 0 && revoked.complaints == ["[invite \(first.number) is closed]"])
            let joined = try await bob.run("join", "--no-chat", first.line)
            #expect(joined.code == 1, "\(joined.complaints)")
            #expect(joined.complaints.last == "kith: the invite was used or withdrawn; ask for a new one")
            #expect(try await bob.run("list").lines.isEmpty)
            #expect(try await ann.run("invite", "--revoke", first.number).code == 1)
            #expect(try await invite(ann, relay).number != first.number)
        }
    }

    @Test("revoking an invite without the relay fails, and finishes later")
    func withdrawnWithoutRelay() async throws {
        try await withPeople { relay, ann, bob in
            let open = try await invite(ann, relay)
            await relay.kill()
            let revoked = try await ann.run("invite", "--revoke", open.number, "--timeout", "2s")
            #expect(revoked.code == 4, "\(revoked.complaints)")
            #expect(revoked.complaints.last?.contains("is closed on this device") == true)
            #expect(try await ann.run("invite", "--list").lines.isEmpty)
            try await relay.start()
            // The same command waits for the relay again.
            #expect(try await ann.run("invite", "--revoke", open.number).code == 0)
            #expect(try await bob.run("join", "--no-chat", open.line).code == 1)
        }
    }

    @Test("a person who joins sees whether the inviter has answered")
    func answers() async throws {
        try await withPeople { relay, ann, bob in
            let open = try await invite(ann, relay)
            let joined = try await bob.run("join", "--no-chat", open.line)
            #expect(joined.code == 0)
            #expect(
                joined.complaints.last
                    == "[waiting for Ann to accept; if somebody else has used up the invite, Ann declines; the key is the one in the invite]"
            )
            #expect(try await bob.run("list").lines.first?.contains("no answer yet") == true)
            #expect(try await bob.run("list", "--json").objects.first?["answered"] as? Bool == false)
            // Groups need Bob's inbox address, which is at the relay when his command ends.
            let made = try await ann.run("group", "create", "team", "Bob")
            #expect(made.code == 0, "\(made.complaints)")
            try await bob.listen {
                try await bob.run("list", "--json").objects.allSatisfy { $0["answered"] as? Bool == true }
            }
            #expect(try await bob.run("list").lines.allSatisfy { !$0.contains("no answer yet") })
        }
    }

    @Test("a stranger is listed, announced, and accepted by the first reply")
    func strangers() async throws {
        try await withPeople { relay, ann, bob in
            let place = ["--relay", relay.address, "--pin", relay.pin]
            #expect(try await ann.run(["register", "ann"] + place).code == 0)
            #expect(try await bob.run(["lookup", "ann"] + place).code == 0)
            #expect(try await bob.run("send", "ann", "hello").code == 0)
            let listener = try ann.start(["listen"])
            _ = try await listener.complaint(with: "[Bob is new and writes “hello”; kith chat '#")
            listener.signal(SIGTERM)
            #expect(await listener.rest().isEmpty)
            #expect(await listener.exitCode() == 0)
            #expect(try await ann.run("list").lines.first?.contains("request of a new person") == true)
            #expect(
                try await ann.run("requests").lines.map { $0.replacing(/#\d+/, with: "#") } == ["#  Bob", "    hello"])
            #expect(try await ann.run("list", "--json").objects.first?["pending"] as? Bool == true)
            #expect(try await ann.run("send", "Bob", "who are you?").code == 0)
            #expect(try await ann.run("list", "--json").objects.first?["pending"] as? Bool == false)
            try await ann.listen { try await ann.run("search", "hello").lines.count == 1 }
        }
    }

    @Test("a member of a group gets a first text as a request, which begins a conversation of two")
    func privately() async throws {
        try await withPeople { relay, ann, bob in
            let carol = try await CommandPerson("Carol", in: ann.folder.deletingLastPathComponent())
            for guest in [bob, carol] {
                let line = try await invite(ann, relay).line
                #expect(try await guest.run("join", "--no-chat", line).code == 0)
            }
            try await ann.listen {
                try await ann.run("contacts", "--json").objects.count { $0["reachable"] as? Bool == true } == 2
            }
            #expect(try await ann.run("group", "create", "club", "Bob", "Carol").code == 0)
            try await bob.listen { try await bob.run("contacts").lines.contains { $0.hasPrefix("Carol") } }
            try await carol.listen { try await carol.run("contacts").lines.contains { $0.hasPrefix("Bob") } }
            let sent = try await bob.run("send", "Carol", "hello carol")
            #expect(sent.code == 0 && sent.complaints.last?.contains("as a request, through “club”") == true)
            try await carol.listen { try await carol.run("requests").lines.count == 2 }
            #expect(
                try await carol.run("requests").lines == ["Bob, privately, from the group club", "    hello carol"])
            #expect(try await ann.run("requests").lines.isEmpty)
            #expect(try await carol.run("requests", "accept", "Bob").code == 0)
            try await eventually {
                _ = try await carol.run("listen", "--timeout", "1s")
                _ = try await bob.run("listen", "--timeout", "1s")
                return try await carol.run("search", "hello").lines.count == 1
            }
        }
    }

    @Test("a request can be accepted, ignored or blocked, and archived and deleted conversations leave the list")
    func decisions() async throws {
        try await withPeople { relay, ann, bob in
            let place = ["--relay", relay.address, "--pin", relay.pin]
            #expect(try await ann.run(["register", "ann"] + place).code == 0)
            #expect(try await bob.run(["lookup", "ann"] + place).code == 0)
            #expect(try await bob.run("send", "ann", "hello").code == 0)
            try await ann.listen { try await ann.run("requests").lines.count == 2 }
            #expect(try await ann.run("requests", "accept", "Bob").complaints.last == "[accepted Bob]")
            #expect(try await ann.run("requests", "ignore", "Bob").code == 1)
            try await ann.listen { try await ann.run("search", "hello").lines.count == 1 }

            #expect(try await ann.run("archive", "Bob").complaints.last == "[Bob is archived]")
            let listed = try await ann.run("list")
            #expect(listed.lines.isEmpty)
            #expect(listed.complaints == ["[1 ended or archived conversation not shown: kith list --all]"])
            #expect(try await ann.run("list", "--all", "--json").objects.first?["archived"] as? Bool == true)
            #expect(try await ann.run("mute", "Bob", "--json").objects.first?["muted"] as? Bool == true)

            let seq = try #require(
                try await ann.run("history", "Bob", "--json").objects.first { $0["text"] as? String == "hello" }?["seq"]
                    as? Int)
            #expect(try await ann.run("delete", "Bob", "\(seq)", "--here").code == 0)
            #expect(try await ann.run("search", "hello").lines.isEmpty)
            #expect(try await ann.run("contacts", "delete", "Bob").code == 1)
            #expect(
                try await ann.run("group", "delete", "Bob").complaints.last
                    == "kith: the conversation has not ended; leave it first")

            #expect(try await ann.run("contacts", "block", "Bob").lines == ["Bob is blocked"])
            #expect(try await ann.run("contacts").lines.first?.hasSuffix("blocked") == true)
            #expect(try await ann.run("send", "Bob", "hello").code == 1)
        }
    }

    @Test("after an import, an error explains why a contact can't be reached and what helps")
    func restored() async throws {
        try await withPeople { relay, ann, bob in
            let open = try await invite(ann, relay)
            #expect(try await bob.run("join", "--no-chat", open.line).code == 0)
            try await ann.listen { try await ann.run("list").lines.count == 1 }
            let passphrase = ann.folder.appendingPathComponent("passphrase")
            try Data("of the backup\n".utf8).write(to: passphrase)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passphrase.path)
            let backup = ann.folder.appendingPathComponent("backup").path
            #expect(try await ann.run("export", backup, "--passphrase-file", passphrase.path).code == 0)
            let imported = try await ann.run(
                "import", backup, "--passphrase-file", passphrase.path, "--yes", "--no-passphrase", "--profile", "again"
            )
            #expect(imported.code == 0, "\(imported.complaints)")
            let chat = try await ann.run("chat", "Bob", "--profile", "again", input: "hello")
            #expect(chat.code == 1)
            #expect(
                chat.complaints.last
                    == "kith: this profile was restored from a backup, which holds no addresses; send Bob an invite, or use one of theirs",
                "\(chat.complaints)")
        }
    }
}
