import Foundation
import KithRelay
import KithSupport
import KithWire
import MLS
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// Files that others share, as people without a right see them.
@Suite(.timeLimit(.minutes(5))) struct BlobPrivacyTests {
    private static let environment = MLSEnvironment(
        authentication: CertifiedDevices(), now: UInt64(Date().timeIntervalSince1970))

    /// Returns the code of the relay's refusal of each kind of request about a blob; `nil` for a request that was accepted.
    private static func refusals(
        of blob: BlobID, _ token: Token, at relay: RelayPoint
    ) async throws -> [RelayError.Code?] {
        var codes: [RelayError.Code?] = []
        let requests: [(inout BlobConnection) async throws -> Void] = [
            { _ = try await $0.status(of: blob, token: token) },
            { try await $0.read(0..<16, of: blob, token: token) { _ in } },
            { _ = try await $0.append(to: blob, token: token, offset: 0, count: 1) { .init(bytes: [1]) } },
            { try await $0.delete(blob, token: token) },
        ]
        for request in requests {
            do {
                try await BlobConnection.use(relay.address, trust: .pinned(relay.pin), request)
                codes.append(nil)
            } catch RelayConnectionError.refused(let error) {
                codes.append(error.code)
            }
        }
        return codes
    }

    @Test("a member removed before a file was sent gets neither its key nor its token, with all keys from before")
    func removed() async throws {
        try await FileGroup.with { people in
            let (alice, bob, carol, point) = (people.alice, people.bob, people.carol, try people.point)
            let (ofAlice, ofBob) = (
                try await alice.conversation(FileGroup.name), try await bob.conversation(FileGroup.name)
            )
            let ofCarol = try await carol.conversation(FileGroup.name)
            // A file from the time when carol was a member.
            try await people.send("earlier.bin", fileBytes(60_000))
            let earlier = try #require(try await carol.received(ofCarol).first)
            let earlierSeq = try #require(earlier.message.seq)
            let known = try #require(try await carol.profile.blob(1, of: earlierSeq, in: ofCarol))
            var old = try await carol.profile.keys(of: ofCarol)

            let contact = try #require(await alice.profile.contacts().first { $0.name == "carol" })
            try await alice.profile.remove(contact.id, from: ofAlice)
            try await eventually({ try await bob.profile.members(of: ofBob).count }) { $0 == 2 }
            var new = try await bob.profile.keys(of: ofBob)
            #expect(new.channel.epoch > old.channel.epoch)
            try await people.send("later.bin", fileBytes(70_000))
            let laterSeq = try #require(try await bob.received(ofBob, count: 2)[0].message.seq)
            let blob = try #require(try await bob.profile.blob(1, of: laterSeq, in: ofBob))

            // Carol reads the log of her epoch with her tokens. The rest of the log reaches her from the relay's operator.
            let connection = try await RelayConnection.connect(to: point.address, trust: .pinned(point.pin))
            try await connection.present(old.channel, [old.channel.read])
            var entries = try await connection.entries(of: old.channel, from: old.lastSeq + 1)
            let current = try await bob.profile.keys(of: ofBob).channel
            #expect(current.epoch == new.channel.epoch)
            try await connection.present(current, [current.read])
            entries += try await connection.entries(of: current, from: new.lastSeq + 1)
            await connection.close()
            var (opened, turns) = (0, 0)
            for entry in entries {
                let message = try MLSMessage.decode(Array(entry.payload))
                // Bob's copy from before the message shows that the entry has the key and the token.
                if entry.seq > new.lastSeq,
                    case .application(let content) = try new.group.process(message, in: Self.environment)
                {
                    let key = blob.key.withUnsafeBytes { Array($0) }
                    let token = blob.read.withUnsafeBytes { Array($0) }
                    if content.data.contains(key), content.data.contains(token) { opened += 1 }
                }
                switch try? old.group.process(message, in: Self.environment) {
                case .commit(let staged)?:
                    turns += 1
                    _ = try? old.group.apply(staged)
                case nil: break
                default: Issue.record("carol has opened entry \(entry.seq)")
                }
            }
            #expect(opened == 1)
            #expect(turns == 1, "carol follows the log up to her removal")

            // Nor do her tokens open the channel's new epoch.
            let stranger = try await RelayConnection.connect(to: point.address, trust: .pinned(point.pin))
            var forged = old.channel
            forged.epoch = current.epoch
            #expect(try await stranger.refusal(of: forged.presenting)?.code == .denied)
            await stranger.close()
            // Even if she learns the blob's id, no token that she ever had helps, and no token hash of the operator's.
            var tokens = old.channel.tokens + [known.read, .random()]
            tokens += [Token(blob.blob.bytes), Token(Grant(for: blob.read).bytes)].compactMap { $0 }
            for token in tokens {
                let codes = try await Self.refusals(of: blob.blob, token, at: point)
                #expect(codes == [.denied, .denied, .denied, .denied])
            }
            // The members' token reads the file, but it neither changes nor deletes it.
            let codes = try await Self.refusals(of: blob.blob, blob.read, at: point)
            #expect(codes == [nil, nil, .denied, .denied])
            #expect(try await carol.profile.files.list(in: ofCarol).map(\.file.name) == ["earlier.bin"])
        }
    }

    @Test(
        "the relay's disk, audit, log and counts have no byte of a file, no name and no key, and link it to no channel")
    func operatorView() async throws {
        try await FileGroup.with { people in
            let content = Array("the plain bytes of a secret plan ".utf8) + fileBytes(200_000)
            try await people.send("secret plan.pdf", content, caption: "what the secret plan is about")
            let ofBob = try await people.bob.conversation(FileGroup.name)
            let seq = try #require(try await people.bob.received(ofBob).first?.message.seq)
            try await people.bob.profile.files.fetch(1, of: seq, in: ofBob)
            let blob = try #require(try await people.bob.profile.blob(1, of: seq, in: ofBob))
            let ofAlice = try await people.alice.conversation(FileGroup.name)
            let own = try #require(try await people.alice.profile.ownBlobs(of: seq, in: ofAlice).first)
            #expect(own.blob == blob.blob)
            let channel = try await people.bob.profile.keys(of: ofBob).channel

            var seen = try Self.files(in: people.relayFolder)
            var audit: [String] = []
            try StoreAudit(folder: people.relayFolder.path).forEachRow { audit += [$0.text, $0.json] }
            seen["audit"] = Data(audit.joined(separator: "\n").utf8)
            seen["log"] = Data(people.log.all.joined(separator: "\n").utf8)
            seen["counts"] = try await Self.counts(of: people.relay)

            func bytes(_ token: Token) -> [UInt8] { token.withUnsafeBytes { Array($0) } }
            let secrets: [(what: String, bytes: [UInt8])] = [
                ("the beginning of the file", Array(content.prefix(32))),
                ("the middle of the file", Array(content[100_000..<100_032])),
                ("the end of the file", Array(content.suffix(32))), ("the name", Array("secret plan".utf8)),
                ("the caption", Array("what the secret".utf8)), ("the key", blob.key.withUnsafeBytes { Array($0) }),
                ("the read token", bytes(blob.read)), ("the write token", bytes(own.write)), ("the root", blob.root),
            ]
            for (place, data) in seen {
                for secret in secrets {
                    for form in Self.forms(of: secret.bytes) {
                        #expect(data.range(of: form) == nil, "\(secret.what) is in \(place)")
                    }
                }
            }
            // The table of blobs names no channel and no person, and the table of channels no blob. The file's name is its id.
            var others = [channel.id.bytes]
            for person in [people.alice, people.bob, people.carol] {
                let account = await person.profile.account
                others += [account.bytes, account.fingerprint.bytes]
            }
            for (place, data) in seen where place.contains("blobs") {
                for form in others.flatMap(Self.forms) { #expect(data.range(of: form) == nil, "\(place)") }
            }
            for (place, data) in seen where place.hasPrefix("relay.sqlite") || place == "log" || place == "counts" {
                for form in Self.forms(of: blob.blob.bytes) { #expect(data.range(of: form) == nil, "\(place)") }
            }
            // A check of the search itself.
            func isIn(_ prefix: String, _ bytes: [UInt8]) -> Bool {
                seen.contains { $0.key.hasPrefix(prefix) && $0.value.range(of: Data(bytes)) != nil }
            }
            #expect(isIn("blobs.sqlite", blob.blob.bytes) && isIn("relay.sqlite", channel.id.bytes))
            #expect(seen.keys.contains { $0.hasSuffix(Hex.encode(blob.blob.bytes)) })
            #expect(audit.contains { $0.contains(Hex.encode(Grant(for: blob.read).bytes)) })
            #expect(seen["log"]?.isEmpty == false && seen["counts"]?.isEmpty == false)
        }
    }

    /// The files in a folder, by their paths in it.
    private static func files(in folder: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            // A folder can't be read as a file.
            files[path] = try? Data(contentsOf: folder.appending(path: path))
        }
        return files
    }

    private static func counts(of relay: Relay) async throws -> Data {
        let port = try #require(relay.metricsPort)
        let address = try #require(RelayAddress(host: "127.0.0.1", port: port))
        let wire = try await WireClient.connect(to: address, .tcp)
        wire.send(Array("GET /metrics HTTP/1.1\r\nhost: relay\r\n\r\n".utf8))
        return Data(try await wire.everything())
    }

    /// A value in the forms in which a program may write it.
    private static func forms(of bytes: [UInt8]) -> [Data] {
        [Data(bytes), Data(Hex.encode(bytes).utf8), Data(Base64URL.encode(bytes).utf8)]
    }
}

extension [UInt8] {
    /// Whether other bytes are anywhere in these.
    fileprivate func contains(_ other: [UInt8]) -> Bool { Data(self).range(of: Data(other)) != nil }
}
