import Foundation
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite("Unwritable output", .timeLimit(.minutes(5)))
struct CommandOutputTests {
    @Test("a command whose output does not fit on the disk fails with an error")
    func full() async throws {
        try await withAnnAndBob { ann, bob, relay in
            #expect(try await bob.run("send", "Ann", "a word").code == 0)
            try await ann.hear("a word")
            let commands = [
                "list", "list --json", "history Bob", "history Bob --json", "search word", "status", "contacts",
                "contacts show Bob", "explain Bob 1", "verify Bob --json", "invite --relay \(relay)", "help",
                "help send", "--version", "send --json Bob hello",
            ]
            for command in commands {
                let outcome = try await ann.shell("kith \(command) > /dev/full")
                #expect(outcome.code == 1, "\(command): \(outcome.complaints)")
                #expect(
                    outcome.complaints.last == "kith: the output is not complete: there is no room on the disk",
                    "\(command): \(outcome.complaints)")
            }
            let closed = try await ann.shell("kith list >&-")
            #expect(closed.code == 1)
            #expect(closed.complaints == ["kith: the output is not complete: it is closed"])
        }
    }

    @Test("a message that could not be printed stays unread")
    func notRead() async throws {
        try await withAnnAndBob { ann, bob, _ in
            #expect(try await bob.run("send", "Ann", "listen to me").code == 0)
            for json in ["", "--json"] {
                let outcome = try await ann.shell("kith listen --once --timeout 60s \(json) > /dev/full")
                #expect(outcome.code == 1, "\(outcome.complaints)")
            }
            try await ann.hear("listen to me")
        }
    }

    @Test("a listener that is killed while its reader is blocked loses no message and repeats none but the last")
    func killedListener() async throws {
        try await withAnnAndBob { ann, bob, _ in
            let texts = (1...30).map { "\($0) " + String(repeating: "x", count: 6_000) }
            let sender = try bob.start(["chat", "Ann"])
            for text in texts { try sender.write(text) }
            try sender.endInput()
            _ = await sender.rest()
            #expect(await sender.exitCode() == 0)

            func messages(in lines: [String]) -> [String] {
                lines.compactMap {
                    let object = try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                    return object?["event"] as? String == "message" ? object?["text"] as? String : nil
                }
            }
            let first = try ann.start(["listen", "--json"])
            // The pipe is full or almost full: it holds 64 KiB.
            try await eventually("the output is blocked") { first.unreadOutput > 48 << 10 }
            first.signal(SIGKILL)
            let before = messages(in: await first.rest())
            #expect(before.count > 5 && before.count < 20)

            var after: [String] = []
            let second = try ann.start(["listen", "--json"])
            while after.last != texts.last, let line = await second.line() { after += messages(in: [line]) }
            second.signal(SIGTERM)
            _ = await second.rest()
            let repeated = before.count + after.count - texts.count
            #expect((0...1).contains(repeated))
            #expect(before + after.dropFirst(repeated) == texts)
        }
    }

    @Test("a reader that closes the pipe causes no failure")
    func enough() async throws {
        try await withTemporaryFolder { folder in
            let ann = try await CommandPerson("Ann", in: folder)
            let outcome = try await ann.shell("(trap '' PIPE; kith status; echo \"code $?\" >&2) | true")
            #expect(outcome.complaints == ["code 0"])
        }
    }
}

@Suite("A closed reader")
struct AbandonedOutputTests {
    private func pair(_ domain: Int32) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        if domain == AF_UNIX { socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) } else { pipe(&ends) }
        return (ends[0], ends[1])
    }

    @Test("is detected on a pipe and a local socket, unless it only stopped sending")
    func local() {
        for domain in [AF_UNIX, AF_UNSPEC] {
            let (reader, writer) = pair(domain)
            let stream = StandardStream(descriptor: writer)
            #expect(!stream.isAbandoned)
            if domain == AF_UNIX {
                shutdown(reader, Int32(SHUT_WR))
                #expect(!stream.isAbandoned)
            }
            close(reader)
            #expect(stream.isAbandoned)
            close(writer)
            #expect(stream.isAbandoned)
        }
    }

    @Test("is detected on a network socket")
    func network() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let writer = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(writer) }
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = bind(listener, address, length)
                _ = listen(listener, 1)
                _ = getsockname(listener, address, &length)
                _ = connect(writer, address, length)
            }
        }
        let reader = accept(listener, nil, nil)
        let stream = StandardStream(descriptor: writer)
        #expect(!stream.isAbandoned)
        close(reader)
        #expect(stream.isAbandoned)
    }

    @Test("is never reported for a file")
    func file() throws {
        let descriptor = open("/dev/null", O_WRONLY)
        defer { close(descriptor) }
        #expect(!StandardStream(descriptor: descriptor).isAbandoned)
    }
}
