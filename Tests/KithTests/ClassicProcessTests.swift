import ClassicSession
import Foundation
import KithClient
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import kith

/// `kith classic` as scripts use it: real processes, real TLS.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ClassicProcessTests {
    @Test("two people talk, and the end of the input says goodbye to both")
    func conversation() async throws {
        try await withRelay { relay in
            let alice = try relay.classic("alice", "bob")
            let bob = try relay.classic("bob", "alice")
            try alice.write("hello, 世界 🙂")
            #expect(await bob.line() == "alice (verified) : hello, 世界 🙂")
            try bob.write("hi")
            try bob.write("there")
            #expect(await alice.line() == "bob (verified) : hi")
            #expect(await alice.line() == "bob (verified) : there")
            try alice.endInput()
            try await bob.complaint(with: "[alice said goodbye]")
            #expect(await bob.exitCode() == 0)
            #expect(await alice.exitCode() == 0)
            #expect(await bob.rest() == [])
        }
    }

    @Test("lines given before the peer is there are sent later")
    func lateJoiner() async throws {
        try await withRelay { relay in
            let alice = try relay.classic("alice", "bob")
            for number in 1...500 { try alice.write("line \(number)") }
            try alice.endInput()
            try await alice.complaint(with: "[waiting for bob]")
            let bob = try relay.classic("bob", "alice")
            #expect(await bob.rest() == (1...500).map { "alice (verified) : line \($0)" })
            #expect(await alice.exitCode() == 0)
            #expect(await bob.exitCode() == 0)
        }
    }

    @Test("entries of older runs don't disturb a later one")
    func laterRuns() async throws {
        try await withRelay { relay in
            for run in 1...3 {
                // In the second run, one side ends without a goodbye, as in a crash.
                let alice = try relay.classic("alice", "bob")
                let bob = try relay.classic("bob", "alice")
                try alice.write("run \(run)")
                #expect(await bob.line() == "alice (verified) : run \(run)")
                if run == 2 { bob.signal(SIGKILL) }
                try alice.endInput()
                #expect(await alice.exitCode() == 0)
                if run != 2 { #expect(await bob.exitCode() == 0) }
            }
        }
    }

    @Test("ctrl-C says goodbye", arguments: [SIGINT, SIGTERM])
    func interrupt(signal: Int32) async throws {
        try await withRelay { relay in
            let alice = try relay.classic("alice", "bob")
            let bob = try relay.classic("bob", "alice")
            try await bob.complaint(with: "[alice is here")
            try await alice.complaint(with: "[bob is here")
            alice.signal(signal)
            try await bob.complaint(with: "[alice said goodbye]")
            #expect(await alice.exitCode() == 0)
            #expect(await bob.exitCode() == 0)
        }
    }

    @Test("leaving before the peer is there is no goodbye")
    func leftAlone() async throws {
        try await withRelay { relay in
            let alice = try relay.classic("alice", "bob")
            try await alice.complaint(with: "[waiting for bob]")
            alice.signal(SIGINT)
            #expect(await alice.exitCode() == 130)
        }
    }

    @Test("--expect refuses another key and shows both keys")
    func expect() async throws {
        try await withRelay { relay in
            let key = relay.folder.appendingPathComponent("bob.pem").path
            let bobs = try KeyFile(path: key).identity().fingerprint
            let alice = try relay.classic("alice", "bob", "--expect", bobs.description)
            let mallory = try relay.classic("bob", "alice")
            let refusal = try await alice.complaint(with: "is not the expected one").last ?? ""
            #expect(refusal.contains(bobs.description))
            #expect(await alice.exitCode() == 3)
            mallory.signal(SIGKILL)

            let again = try relay.classic("alice", "bob", "--expect", bobs.description)
            let bob = try relay.classic("bob", "alice", "--key", key)
            try again.write("is it you?")
            #expect(await bob.line() == "alice (verified) : is it you?")
            try again.endInput()
            #expect(await bob.exitCode() == 0)
        }
    }

    @Test("an altered message is dropped and reported, and no other is lost")
    func altered() async throws {
        try await withRelay { relay in
            let alice = try relay.classic("alice", "bob")
            let bob = try relay.classic("bob", "alice")
            try alice.write("one")
            #expect(await bob.line() == "alice (verified) : one")
            _ = try await Meddler("alice", "bob").tamper(through: relay.address, relay.pin)
            #expect(await bob.line() == "alice: [message 2 was altered on the way; dropped]")
            try alice.write("two")
            #expect(await bob.line() == "alice (verified) : two")
            try alice.endInput()
            #expect(await bob.exitCode() == 0)
        }
    }

    @Test("ctrl-C ends a program whose output is blocked")
    func stalledOutput() async throws {
        try await withRelay { relay in
            let alice = try relay.classic("alice", "bob")
            let bob = try relay.classic("bob", "alice")
            try await bob.complaint(with: "[alice is here")
            // More than a pipe holds, without a reader.
            let line = String(repeating: "x", count: 60_000)
            for _ in 0..<4 { try alice.write(line) }
            try alice.endInput()
            #expect(await alice.exitCode() == 0)
            // The pipe holds the first line and a part of the second. The rest waits.
            try await eventually("the pipe is full") { bob.unreadOutput >= 60_100 }
            bob.signal(SIGINT)
            #expect(await bob.exitCode() == 1)
        }
    }

    @Test("a line that is too long is reported, and the exit code is 1")
    func tooLong() async throws {
        try await withRelay { relay in
            let alice = try relay.classic("alice", "bob")
            let bob = try relay.classic("bob", "alice")
            try alice.write("one")
            try alice.write(String(repeating: "x", count: ClassicLimits.textBytes + 1))
            try alice.write("two")
            try alice.endInput()
            #expect(await bob.rest() == ["alice (verified) : one", "alice (verified) : two"])
            try await alice.complaint(with: "[not sent: a message can't be longer than 65536 bytes]")
            try await alice.complaint(with: "[1 line was not sent]")
            #expect(await alice.exitCode() == 1)
            #expect(await bob.exitCode() == 0)
        }
    }

    @Test("a broken connection differs from a goodbye")
    func cut() async throws {
        try await withTemporaryFolder { folder in
            let relay = try KithProcess(
                ["relay", "--listen", "127.0.0.1:0", "--data", folder.appendingPathComponent("relay").path, "--json"],
                folder: folder)
            struct Listening: Decodable {
                let address: String
                let pin: String
            }
            let line = try #require(await relay.line())
            let listening = try JSONDecoder().decode(Listening.self, from: Data(line.utf8))
            let common = ["classic", "--relay", listening.address, "--pin", listening.pin, "--reconnect", "0"]
            let alice = try KithProcess(common + ["--id", "alice", "--peer", "bob"], folder: folder)
            let bob = try KithProcess(common + ["--id", "bob", "--peer", "alice"], folder: folder)
            try alice.write("hello")
            #expect(await bob.line() == "alice (verified) : hello")
            relay.signal(SIGKILL)
            try await bob.complaint(with: "cut without a goodbye")
            #expect(await bob.exitCode() == 2)
            #expect(await alice.exitCode() == 2)
        }
    }

    @Test("a key file is created once with mode 0600, and refused if others can read it")
    func keyFile() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("deeper/alice.pem").path
            let first = try KeyFile(path: path).identity()
            #expect(try KeyFile(path: path).identity().fingerprint == first.fingerprint)
            let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(permissions == 0o600)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect(throws: Failure.self) { try KeyFile(path: path).identity() }
        }
    }

    @Test("missing ids are asked for, as in the original")
    func prompts() async throws {
        try await withRelay { relay in
            let alice = try KithProcess(
                ["classic", "--relay", relay.address.description, "--pin", relay.pin.description], folder: relay.folder)
            try alice.write("alice")
            try alice.write("bob")
            let asked = try await alice.complaint(with: "Enter the id of the person you want to talk to:")
            #expect(asked.first?.hasPrefix("Enter your id:") == true)
            let bob = try relay.classic("bob", "alice")
            try alice.write("hello")
            #expect(await bob.line() == "alice (verified) : hello")
            bob.signal(SIGINT)
            #expect(await alice.exitCode() == 0)
        }
    }

    @Test("the first contact remembers the relay's key, and another key is refused with both shown")
    func knownRelays() async throws {
        try await withRelay { relay in
            let arguments = ["classic", "--relay", relay.address.description, "--id", "alice", "--peer", "bob"]
            let first = try KithProcess(arguments, folder: relay.folder)
            let said = try await first.complaint(with: "waiting for bob")
            #expect(said.contains { $0.contains("first contact") && $0.contains(relay.pin.description) })
            first.signal(SIGINT)
            _ = await first.exitCode()

            let second = try KithProcess(arguments, folder: relay.folder)
            let saidThen = try await second.complaint(with: "waiting for bob")
            #expect(!saidThen.contains { $0.contains("first contact") })
            second.signal(SIGINT)
            _ = await second.exitCode()

            let known = KnownRelays(home: KithHome(folder: relay.folder))
            let other = try #require(RelayPin([UInt8](repeating: 9, count: 32)))
            _ = try known.forget(relay.address)
            _ = try known.remember(other, of: relay.address)
            let third = try KithProcess(arguments, folder: relay.folder)
            let refusal = try await third.complaint(with: "another key").last ?? ""
            #expect(refusal.contains(other.description) && refusal.contains(relay.pin.description))
            #expect(refusal.contains("known_relays"))
            #expect(await third.exitCode() == 3)

            let fourth = try relay.classic("alice", "bob", "--pin", other.description)
            #expect(await fourth.exitCode() == 3)
        }
    }

    @Test("--json prints one object a line, explanations included")
    func json() async throws {
        try await withRelay { relay in
            let alice = try relay.classic("alice", "bob", "--json", "--explain")
            let bob = try relay.classic("bob", "alice")
            try alice.write("hello")
            try alice.endInput()
            #expect(await bob.exitCode() == 0)
            let events = try await alice.rest().map {
                try JSONDecoder().decode(ClassicPerson.Event.self, from: Data($0.utf8))
            }
            let kinds = Set(events.map(\.event))
            #expect(
                kinds.isSuperset(of: ["connected", "explained", "waiting", "peerKey", "established", "sent", "ended"]))
            #expect(events.contains { $0.step == "proofVerified" && $0.against?.isEmpty == false })
        }
    }

    @Test(
        "wrong usage leads to exit code 64",
        arguments: [
            ["classic"], ["classic", "--relay", "nowhere"], ["classic", "--relay", "h:1", "--id", "a\u{202E}b"],
            ["classic", "--relay", "h:1", "--pin", "12"], ["classic", "--relay", "h:1", "--expect", "12"],
            ["classic", "--relay", "h:1", "--id", "bob", "--peer", "bob"], ["nothing"],
        ])
    func usage(arguments: [String]) async throws {
        try await withTemporaryFolder { folder in
            let profile = try KithProcess(arguments, folder: folder)
            #expect(await profile.exitCode() == 64)
            #expect(await !profile.complaintsLeft().isEmpty)
        }
    }

    @Test("an absent relay leads to one line and exit code 1")
    func noRelay() async throws {
        try await withTemporaryFolder { folder in
            let profile = try KithProcess(
                ["classic", "--relay", "127.0.0.1:1", "--id", "a", "--peer", "b"], folder: folder)
            #expect(await profile.exitCode() == 1)
            #expect(await profile.complaintsLeft().last == "kith: the relay can't be reached: nothing listens there")
        }
    }

    @Test("--help and --version work")
    func help() async throws {
        try await withTemporaryFolder { folder in
            for arguments in [["--help"], ["help", "classic"], ["help", "demo"], ["classic", "--help"]] {
                let profile = try KithProcess(arguments, folder: folder)
                #expect(await profile.rest().contains { $0.contains("EXIT CODES") })
                #expect(await profile.exitCode() == 0)
            }
            let version = try KithProcess(["--version"], folder: folder)
            #expect(await version.rest() == ["kith \(KithVersion.number)"])
        }
    }
}
