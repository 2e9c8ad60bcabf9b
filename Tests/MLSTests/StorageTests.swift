import Foundation
import KithSupport
import Testing

@testable import MLS

@Suite("Stored state")
struct StorageTests {
    /// The contents of an application's database.
    struct Store {
        var epochState: SecretBytes
        var records: [UInt64: SecretBytes] = [:]

        init(_ group: Group) {
            epochState = group.epochState
            apply(group.records)
        }

        mutating func apply(_ changes: [GroupRecord]) {
            for change in changes { records[change.key.rawValue] = change.content }
        }

        func restore() throws -> Group {
            let records = records.compactMap { key, content in
                GroupRecordKey(rawValue: key).map { GroupRecord(key: $0, content: content) }
            }
            return try Group(restoring: epochState, records: records)
        }
    }

    @Test("a member that is restored after every message stays in agreement")
    func restoreEveryMessage() throws {
        var members = try TestMembers((0..<9).map { "member \($0)" })
        for index in 0..<9 { try members.commit(index) }
        var store = Store(members.groups[4])
        _ = members.groups[4].takeChangedRecords()
        for round in 0..<20 {
            let sender = (round * 5) % 9
            let message = try members.groups[sender].encrypt([UInt8(round)], in: members.environment)
            for receiver in members.groups.indices where receiver != sender {
                #expect(try members.groups[receiver].receive(message).data == [UInt8(round)])
            }
            let changes = members.groups[4].takeChangedRecords()
            let size = changes.reduce(0) { $0 + ($1.content?.count ?? 0) }
            #expect(size < 1_000, "a message costs \(size) bytes of state")
            store.apply(changes)
            members.groups[4] = try store.restore()
        }
        try members.commit(4)
        try members.checkAgreement()
    }

    @Test("a restored sender never uses a generation again")
    func generations() throws {
        var members = try TestMembers(["alice", "bob"])
        var store = Store(members.groups[0])
        var seen: Set<UInt32> = []
        for _ in 0..<10 {
            let message = try members.groups[0].encrypt([1], in: members.environment)
            store.apply(members.groups[0].takeChangedRecords())
            members.groups[0] = try store.restore()
            #expect(try seen.insert(members.groups[1].receive(message).generation).inserted)
        }
    }

    @Test("proposals, own updates and pending commits survive a restart")
    func pendingWork() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let update = try members.groups[1].proposeUpdate(in: members.environment)
        try members.propose(1, update)
        for index in 0..<3 { members.groups[index] = try Store(members.groups[index]).restore() }
        let commit = try members.groups[0].commit(in: members.environment)
        let restored = try PendingCommit(restoring: commit.stored)
        #expect(restored.message == commit.message && restored.effect.updated.count == 2)
        for index in 1..<3 { try members.groups[index].follow(restored.message) }
        members.groups[0] = try Store(members.groups[0]).restore()
        try members.groups[0].apply(restored)
        try members.checkAgreement()
    }

    @Test("a record of another version, or a tree that is not the epoch's, is not restored")
    func otherState() throws {
        var group = try TestMembers(["alice", "bob"]).groups[0]
        let record = try #require(group.records.first)
        var content = try #require(record.content).copyBytes()
        content[0] = 9
        #expect(throws: MLSError.storage(.version(9))) {
            try Group(
                restoring: group.epochState, records: [GroupRecord(key: record.key, content: SecretBytes(content))])
        }
        group.context.treeHash[0] ^= 1
        #expect(throws: MLSError.storage(.malformed)) {
            try Group(restoring: group.epochState, records: group.records)
        }
    }

    @Test("an exported component secret stays taken after a restart")
    func exporter() throws {
        var group = try testGroup("alice")
        var store = Store(group)
        _ = group.takeChangedRecords()
        _ = try group.takeExportedSecret(ComponentID(rawValue: 9))
        store.apply(group.takeChangedRecords())
        group = try store.restore()
        #expect(throws: MLSError.usage(.consumed)) { try group.takeExportedSecret(ComponentID(rawValue: 9)) }
    }

    @Test("damaged, mixed and newer state is refused")
    func damage() throws {
        var members = try TestMembers(["alice", "bob"])
        let old = Store(members.groups[0])
        try members.commit(1)
        var mixed = Store(members.groups[0])
        mixed.records = old.records
        #expect(throws: MLSError.storage(.epochMismatch)) { try mixed.restore() }
        let whole = old.epochState.copyBytes()
        for length in stride(from: 0, to: whole.count, by: 37) {
            var cut = old
            cut.epochState = SecretBytes(whole.prefix(length))
            #expect(throws: MLSError.self) { try cut.restore() }
        }
        var newer = old
        newer.epochState = SecretBytes([2] + whole.dropFirst())
        #expect(throws: MLSError.storage(.version(2))) { try newer.restore() }
    }

    // MARK: The format is frozen

    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/group-state-v1.json")

    @Test("a group stored by version 1 can be restored and used")
    func frozenFormat() throws {
        if ProcessInfo.processInfo.environment["KITH_WRITE_FIXTURES"] != nil { try Self.write() }
        let json = try JSON(file: Self.fixture)
        let records = try json["records"].array().map { record in
            GroupRecord(
                key: try #require(GroupRecordKey(rawValue: UInt64(record["key"].int()))),
                content: try record["content"].secret())
        }
        var group = try Group(restoring: json["epoch_state"].secret(), records: records)
        #expect(try group.epochAuthenticator == json["epoch_authenticator"].secret())
        #expect(group.pendingProposals.count == 1)
        let message = try MLSMessage.decode(json["message"].bytes())
        #expect(try group.receive(message).data == Array("still here".utf8))
        try group.apply(PendingCommit(restoring: json["pending_commit"].secret()))
        #expect(try group.epochAuthenticator == json["next_epoch_authenticator"].secret())
    }

    /// Writes the fixture. Run once per version of the format; a committed fixture is never written again.
    private static func write() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        try members.commit(1)
        let proposal = try members.groups[2].proposeUpdate(in: members.environment)
        let message = try members.groups[1].encrypt(Array("still here".utf8), in: members.environment)
        try members.groups[0].hear(proposal)
        _ = try members.groups[0].takeExportedSecret(ComponentID(rawValue: 0x8000))
        let pending = try members.groups[0].commit(in: members.environment)
        let store = Store(members.groups[0])
        let object: [String: Any] = [
            "epoch_state": Hex.encode(store.epochState.copyBytes()),
            "records": store.records.sorted { $0.key < $1.key }.map {
                ["key": NSNumber(value: $0.key), "content": Hex.encode($0.value.copyBytes())] as [String: Any]
            },
            "epoch_authenticator": Hex.encode(members.groups[0].epochAuthenticator.copyBytes()),
            "message": Hex.encode(message.encoded), "pending_commit": Hex.encode(pending.stored.copyBytes()),
            "next_epoch_authenticator": Hex.encode(pending.epochAuthenticator.copyBytes()),
        ]
        try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys]).write(to: fixture)
    }
}
