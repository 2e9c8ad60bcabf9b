import Foundation
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// Files that leave the relay with their messages, and files that are sent on.
@Suite(.timeLimit(.minutes(5))) struct DeletedBlobTests {
    /// The ids of the blobs on the relay's disk, and their bytes.
    private static func blobs(at relay: TestRelay) throws -> [String: Data] {
        let folder = relay.folder.appending(path: "relay/blobs")
        var blobs: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where path.count > 60 {
            // The relay may delete the file meanwhile.
            blobs[String(path.suffix(64))] = try? Data(contentsOf: folder.appending(path: path))
        }
        return blobs
    }

    @Test(
        "the file of a message that is deleted for everyone leaves the relay, also if the profile was closed meanwhile")
    func deleted() async throws {
        try await withFilePeople { alice, bob, relay in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            try await alice.profile.files.send([.file(try alice.write("a", fileBytes(80_000)))], to: toBob)
            try await alice.profile.files.send([.file(try alice.write("b", fileBytes(90_000)))], to: toBob)
            let seqs = try await bob.received(toAlice, count: 2).compactMap(\.message.seq)
            #expect(try Self.blobs(at: relay).count == 2)
            try await alice.profile.deleteForEveryone(seqs[0], in: toBob)
            try await eventually({ try Self.blobs(at: relay).count }) { $0 == 1 }
            // The others keep what was deleted on one device only.
            try await alice.profile.deleteHere(seqs[1], in: toBob)
            try await bob.profile.files.fetch(1, of: seqs[1], in: toAlice)
            #expect(try Self.blobs(at: relay).count == 1)
            // A process that ends at once leaves the deletion to the next one.
            try await alice.profile.files.send([.file(try alice.write("c", fileBytes(100_000)))], to: toBob)
            let last = try #require(try await bob.received(toAlice, count: 2)[0].message.seq)
            #expect(try Self.blobs(at: relay).count == 2)
            try await alice.profile.deleteForEveryone(last, in: toBob)
            let again = try await alice.reopened()
            try await eventually({ try Self.blobs(at: relay).count }) { $0 == 1 }
            await again.profile.close()
        }
    }

    @Test("the file of a message that has expired leaves the relay")
    func expired() async throws {
        try await withFilePeople { alice, bob, relay in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            let url = try alice.write("a", fileBytes(80_000))
            try await alice.profile.files.send([.file(url)], to: toBob, expiresAfter: .seconds(4))
            _ = try await bob.received(toAlice)
            try await eventually({ try Self.blobs(at: relay).count }) { $0 == 0 }
        }
    }

    @Test("a received file that is sent on is another blob, with other tokens, another key and other bytes")
    func sentOn() async throws {
        try await withFilePeople { alice, bob, relay in
            let (toBob, toAlice) = (try await alice.conversation("bob"), try await bob.conversation("alice"))
            try await alice.profile.files.send([.file(try alice.write("a.bin", fileBytes(80_000)))], to: toBob)
            let first = try #require(try await bob.received(toAlice).first?.message.seq)
            try await bob.profile.files.fetch(1, of: first, in: toAlice)
            let saved = try #require(try await bob.profile.files.save(1, of: first, in: toAlice, to: bob.folder))
            try await bob.profile.files.send([.file(saved)], to: toAlice)
            let second = try #require(try await alice.received(toBob, count: 2).first?.message.seq)
            let one = try #require(try await alice.profile.blob(1, of: first, in: toBob))
            let other = try #require(try await alice.profile.blob(1, of: second, in: toBob))
            #expect(one.blob != other.blob && one.read != other.read && one.key != other.key && one.root != other.root)
            let sealed = Array(try Self.blobs(at: relay).values)
            #expect(sealed.count == 2 && sealed[0].count == sealed[1].count)
            // Random bytes agree in one of 256 places.
            #expect(zip(sealed[0], sealed[1]).count { $0 == $1 } < sealed[0].count / 64)
        }
    }

    @Test("a file that is larger than the relay takes is refused before its upload, and a used up day is told")
    func limits() async throws {
        try await withBlobRelay(limits: { limits in
            limits.blobs.sizeMiB = 1
            limits.blobs.addressMiBPerDay = 1
        }) { relay in
            try await withTemporaryFolder { folder in
                let (alice, bob) = (try await FilePerson("alice", in: folder), try await FilePerson("bob", in: folder))
                let invite = try await alice.profile.createInvite(at: relay.point)
                _ = try await bob.profile.join(Invite(line: invite.invite.line))
                try await eventually({ try await alice.profile.conversations().map(\.name) }) { $0.contains("bob") }
                let toBob = try await alice.conversation("bob")
                var events = await alice.profile.events().makeAsyncIterator()
                func notice() async -> FileNotice? {
                    while let event = await events.next() {
                        if case .file(_, _, let notice) = event { return notice }
                    }
                    return nil
                }
                let largest = FileLayout.largestFile(inBlobOf: 1 << 20)
                let large = try alice.write("large.bin", fileBytes(Int(largest) + 1))
                try await alice.profile.files.send([.file(large)], to: toBob)
                #expect(await notice() == .notSent(name: "large.bin", .tooLarge(limit: largest)))
                // The largest file fits, and leaves some of the day.
                for name in ["a.bin", "b.bin"] {
                    let fits = try alice.write(name, fileBytes(Int(largest)))
                    try await alice.profile.files.send([.file(fits)], to: toBob)
                }
                try await eventually({ try Self.blobs(at: relay).count }) { $0 == 2 }
                try await alice.profile.files.send([.file(try alice.write("c.bin", fileBytes(60_000)))], to: toBob)
                guard case .delayed("c.bin", .dayIsUsedUp(let ms))? = await notice() else { throw CancellationError() }
                #expect(ms > 3_600_000 && ms <= 86_400_000)
                try await eventually({ await alice.profile.files.progress().map(\.file.name) }) { $0 == ["c.bin"] }
                await alice.profile.close()
                await bob.profile.close()
            }
        }
    }
}
