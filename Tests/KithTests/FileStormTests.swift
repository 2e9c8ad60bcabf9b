import Foundation
import TestSupport
import Testing

@testable import kith

/// A file on its way from one process to another over a relay. All three are killed again and again.
///
/// `KITH_FILE_KILLS` sets the number of kills (default 6), `KITH_FILE_MIB` the size of the file (default 24), and
/// `KITH_FILE_SEED` repeats a schedule, as far as processes can be repeated.
@Suite("File storm", .serialized) struct FileStormTests {
    private static func setting(_ name: String, _ standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
    }

    @Test(
        "after many kill -9 of sender, recipient and relay, a file is there once and byte for byte",
        .timeLimit(.minutes(60)))
    func storm() async throws {
        let kills = Self.setting("KITH_FILE_KILLS", 6)
        let seed = UInt64(Self.setting("KITH_FILE_SEED", Int.random(in: 1...10_000)))
        var random = SeededGenerator(seed: seed)
        print("file storm: seed \(seed), \(kills) kills")
        try await withTemporaryFolder { folder in
            let relay = try await StormRelay(in: folder, options: ["--limit", "address-blob-mib-per-day=1000000"])
            let (ann, bob) = (try await CommandPerson("Ann", in: folder), try await CommandPerson("Bob", in: folder))
            let invite = try await ann.run("invite", "--relay", relay.address, "--pin", relay.pin)
            #expect(try await bob.run("join", try #require(invite.lines.first)).code == 0)
            #expect(try await bob.run("files", "--auto-download", "1GiB").code == 0)
            // The first message brings both into one epoch.
            #expect(try await ann.run("send", "Bob", "hello").code == 0)
            try await bob.hear("hello")
            var (done, round) = (0, 0)
            while done < kills {
                round += 1
                done += try await transfer(round, Party(relay: relay, ann: ann, bob: bob), kills: kills - done, &random)
            }
            await relay.kill()
        }
    }

    private struct Party {
        let relay: StormRelay
        let ann: CommandPerson
        let bob: CommandPerson
    }

    /// Sends one file, kills processes until it has arrived or enough are killed, and compares the bytes.
    ///
    /// - Returns: the number of kills.
    private func transfer(
        _ round: Int, _ party: Party, kills: Int, _ random: inout SeededGenerator
    ) async throws -> Int {
        let (relay, ann, bob) = (party.relay, party.ann, party.bob)
        var words = [UInt64](repeating: 0, count: Self.setting("KITH_FILE_MIB", 24) << 17)
        for index in words.indices { words[index] = random.next() }
        let content = words.withUnsafeBytes { Data($0) }
        let name = "file \(round).bin"
        let url = ann.folder.appending(path: name)
        try content.write(to: url)
        #expect(try await ann.run("send", "Bob", "--file", url.path, "--no-wait").code == 0)
        var people = [try ann.start(["listen", "--timeout", "600s"]), try bob.start(["listen", "--timeout", "600s"])]
        var done = 0
        while done < kills, try await !hasArrived(name, at: bob) {
            // The moment of the kill is random. Nothing depends on the length of the pause.
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...500, using: &random)))
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                await relay.kill()
                try await relay.start()
            case let index:
                people[index - 1].signal(SIGKILL)
                _ = await people[index - 1].exitCode()
                people[index - 1] = try (index == 1 ? ann : bob).start(["listen", "--timeout", "600s"])
            }
            done += 1
        }
        try await eventually("the file has arrived", within: .seconds(600)) {
            try await hasArrived(name, at: bob)
        }
        for person in people {
            person.signal(SIGTERM)
            _ = await person.exitCode()
        }
        let listed = try await bob.run("files", "Ann", "--json").objects.filter { $0["name"] as? String == name }
        #expect(listed.count == 1)
        let seq = try #require(listed.first?["seq"] as? Int)
        let saved = try await bob.run("get", "Ann", "\(seq)", "--save-to", bob.folder.path)
        #expect(saved.code == 0, "\(saved.complaints)")
        #expect(try Data(contentsOf: bob.folder.appending(path: name)) == content)
        try FileManager.default.removeItem(at: bob.folder.appending(path: name))
        try FileManager.default.removeItem(at: url)
        return done
    }

    /// Whether a file is on the device. Requests a file that is not being downloaded, because a sender's files are downloaded
    /// without a request only up to a limit for each day.
    private func hasArrived(_ name: String, at person: CommandPerson) async throws -> Bool {
        let file = try await person.run("files", "Ann", "--json").objects.first { $0["name"] as? String == name }
        if let seq = file?["seq"] as? Int, file?["state"] as? String == "atRelay" {
            _ = try await person.run("get", "Ann", "\(seq)", "--save-to", person.folder.path, "--timeout", "1s")
        }
        return file?["state"] as? String == "onDevice"
    }
}
