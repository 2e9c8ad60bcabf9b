import Foundation
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite("Input of commands", .timeLimit(.minutes(5)))
struct CommandInputTests {
    private let notText = "that is not text: it is not UTF-8; base64 makes text of anything"

    @Test("kith chat reports lines that are not text and sends the others")
    func chat() async throws {
        try await withAnnAndBob { ann, bob, _ in
            let lines = #"printf 'bad \377\376 byte\nnull \000 byte\ngood\n'"#
            let piped = try await bob.shell("\(lines) | kith chat Ann")
            #expect(piped.code == 1)
            #expect(piped.complaints.contains("[not sent: \(notText)]"))
            #expect(piped.complaints.contains("[not sent: \(KithError.notText.description)]"))
            #expect(piped.complaints.last == "kith: \(notText)")
            let json = try await bob.shell("\(lines) | kith chat Ann --json")
            #expect(json.code == 1)
            #expect(json.objects.count { $0["event"] as? String == "error" } == 2)
            let sent = try await bob.shell("\(lines) | kith send Ann")
            #expect(sent.code == 1 && sent.complaints.last == "kith: \(notText)")
            try await ann.hear("good", times: 2)
            #expect(try await bob.run("search", "byte").lines.isEmpty)
        }
    }

    @Test("kith classic reports a script's lines that are not text and sends the others")
    func classic() async throws {
        try await withRelay { relay in
            let ann = try await CommandPerson("Ann", in: relay.folder)
            let place = "--relay \(relay.address) --pin \(relay.pin)"
            let listening = try relay.classic("ann", "bob")
            let said = try await ann.shell(
                #"printf 'bad \377\376 byte\nnull \000 byte\ngood\n' | kith classic --id bob --peer ann "# + place)
            #expect(said.code == 1)
            #expect(said.complaints.filter { $0.hasPrefix("[not sent: that is not text") }.count == 2)
            #expect(said.complaints.contains("[2 lines were not sent]"))
            #expect(await listening.rest() == ["bob (verified) : good"])
        }
    }

    @Test("a listener refuses requests that are not text, and ends while others wait")
    func listener() async throws {
        try await withAnnAndBob { _, bob, _ in
            let refused = try await bob.shell(#"printf '{"\377"}\n' | kith listen --json --timeout 2s"#)
            #expect(refused.lines.contains { $0.contains("this line is not text") })
            let listener = try bob.start(["listen", "--json"])
            for number in 1...20 { try listener.write(#"{"send":{"to":"nobody\#(number)","text":"x"}}"#) }
            while let line = await listener.line(), !line.contains("nobody1") {}
            listener.signal(SIGTERM)
            _ = await listener.rest()
            #expect(await listener.exitCode() == 0)
            #expect(await !listener.complaintsLeft().contains { $0.contains("exiting without waiting") })
        }
    }

    @Test("- stands for standard input, and is refused as a file to write")
    func dash() async throws {
        try await withAnnAndBob { ann, bob, _ in
            #expect(try await bob.run("send", "Ann", "-", input: "from a file").code == 0)
            try await ann.hear("from a file")
            let exported = try await bob.run("export", "-", "--passphrase-file", "/dev/null")
            #expect(exported.code == 64)
            #expect(exported.complaints.first?.contains("not written to standard output") == true)
        }
    }

    @Test("a full disk allows reading, and a write fails with an error", .enabled(if: Self.canMount))
    func fullDisk() async throws {
        try await withAnnAndBob { _, bob, _ in
            #expect(try await bob.run("send", "Ann", "hello").code == 0)
            // A private file system of this test.
            let outcome = try await bob.shell(
                #"""
                disk=$(mktemp -d) && export KITH_DISK="$disk" && unshare -rm sh -c '
                mount -t tmpfs -o size=1m tmpfs "$KITH_DISK" && cp -a "$KITH_HOME"/. "$KITH_DISK" && export KITH_HOME="$KITH_DISK"
                dd if=/dev/zero of="$KITH_DISK/filling" 2>/dev/null
                for command in list "history Ann" "search hello" contacts status; do
                    "$0" $command > /dev/null || echo "$command: $?"
                done
                "$0" send Ann hello; echo "send: $?"' "$KITH_PROGRAM"; rmdir "$disk"
                """#, environment: ["KITH_PROGRAM": BuiltProgram.kith.path])
            #expect(outcome.lines == ["send: 1"], "\(outcome.complaints)")
            #expect(outcome.complaints == ["kith: there is no room on the disk; nothing was changed"])
        }
    }

    /// Whether this user may mount a private file system.
    private static var canMount: Bool {
        let trial = Process()
        trial.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        trial.arguments = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        trial.standardError = FileHandle.nullDevice
        guard (try? trial.run()) != nil else { return false }
        trial.waitUntilExit()
        return trial.terminationStatus == 0
    }
}
