import Foundation
import KithSimulation
import KithWire
import MLS
import TLSCodec
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Backups of a profile")
struct BackupContentTests {
    /// The profile of a backup, on a new device.
    private func restored(_ name: String, from file: URL) async throws -> Person {
        let store = MemoryProfileStore()
        try store.commit(try Profile.transaction(from: file, "abc", deviceName: "new"))
        return try await Person(name, store: store)
    }

    @Test("a restored profile shows its history, and can send again once the other side uses its invite")
    func roundTrip() async throws {
        try await withTemporaryFolder { folder in
            try await withAliceAndBob { alice, bob, relay in
                let atBob = try await bob.conversation("alice")
                let atAlice = try await alice.conversation("bob")
                _ = try await bob.profile.send("before", to: atBob)
                try await eventually({ try await alice.texts(atAlice) }) { $0 == ["bob: before"] }
                let file = folder.appendingPathComponent("backup")
                try await alice.profile.writeBackup(to: file, passphrase: "abc", cost: .cheap)
                await alice.profile.close()

                let back = try await restored("alice", from: file)
                #expect(await back.profile.identity().accountKey == alice.profile.identity().accountKey)
                #expect(await back.profile.identity().deviceName == "new")
                #expect(await back.profile.contacts().map(\.trust) == [.usedMyInvite])
                #expect(try await back.texts(atAlice) == ["bob: before"])
                let status = try await back.profile.conversation(atAlice).status
                guard case .stopped(_, .restored) = status else {
                    Issue.record("the conversation is \(status)")
                    return
                }

                let invite = try await back.profile.createInvite(at: relay).invite
                #expect(try await bob.profile.join(invite) == atBob)
                try await eventually({ try await back.profile.conversation(atAlice).status }) { $0 == .active }
                _ = try await back.profile.send("I am back", to: atAlice)
                _ = try await bob.profile.send("good", to: atBob)
                try await eventually({ try await back.texts(atAlice) }) {
                    Set($0) == ["bob: before", "alice: I am back", "bob: good"] && $0.first == "bob: before"
                }
                try await eventually({ try await bob.texts(atBob) }) { Set($0).isSuperset(of: ["alice: I am back"]) }
                // Bob's address came again: the backup had none.
                try await eventually({ await back.profile.contacts().first?.inbox != nil }) { $0 }
                let group = try await back.profile.createGroup(
                    "team", at: relay, members: [try await back.contact("bob")])
                try await eventually({ try await bob.profile.conversations().map(\.name) }) { $0.contains("team") }
                #expect(try await back.profile.members(of: group).count == 2)
                await back.profile.close()
            }
        }
    }

    @Test("a restored device is added again to a group that it was removed from before")
    func removedBefore() async throws {
        try await withTemporaryFolder { folder in
            try await withAliceAndBob { alice, bob, relay in
                let bobThere = try await alice.contact("bob")
                try await eventually({ await alice.profile.contacts().first?.inbox != nil }) { $0 }
                let group = try await alice.profile.createGroup("team", at: relay, members: [bobThere])
                try await eventually({ try await bob.profile.conversations().map(\.name) }) { $0.contains("team") }
                let atBob = try await bob.conversation("team")
                try await alice.profile.remove(bobThere, from: group)
                try await eventually({ try await bob.profile.conversation(atBob).status }) {
                    $0 == .removed(by: "alice")
                }
                let file = folder.appendingPathComponent("backup")
                try await bob.profile.writeBackup(to: file, passphrase: "abc", cost: .cheap)
                await bob.profile.close()

                let back = try await restored("bob", from: file)
                #expect(try await back.profile.members(of: atBob).isEmpty)
                let before = await alice.profile.contacts().first?.inbox
                _ = try await alice.profile.join(try await back.profile.createInvite(at: relay).invite)
                try await eventually({ try await back.profile.conversations().map(\.status) }) { $0.contains(.active) }
                // The address of the new device comes with the conversation of two.
                try await eventually({ await alice.profile.contacts().first?.inbox }) { $0 != nil && $0 != before }
                try await alice.profile.add([bobThere], to: group)
                try await eventually({ try await back.profile.conversation(atBob).status }) { $0 == .active }
                _ = try await alice.profile.send("welcome back", to: group)
                try await eventually({ try await back.texts(atBob) }) { $0 == ["alice: welcome back"] }
                await back.profile.close()
            }
        }
    }

    @Test("a backup holds no ratchet, no token and no key of the device")
    func holdsNoKeys() async throws {
        try await withTemporaryFolder { folder in
            try await withAliceAndBob { alice, bob, _ in
                let atAlice = try await alice.conversation("bob")
                _ = try await alice.profile.send("said", to: atAlice)
                try await eventually({ try await bob.texts(try await bob.conversation("alice")) }) {
                    $0 == ["alice: said"]
                }
                try await eventually({ try await alice.profile.history(of: atAlice).map(\.delivery) }) {
                    !$0.contains(.queued)
                }
                // Bob's address is here, with the token of his inbox.
                try await eventually({ await alice.profile.contacts().first?.inbox != nil }) { $0 }
                let file = folder.appendingPathComponent("backup")
                try await alice.profile.writeBackup(to: file, passphrase: "abc", cost: .cheap)
                await alice.profile.close()

                var content: [UInt8] = []
                var reader = try BackupReader(from: file, passphrase: "abc")
                while let record = try reader.next() { content += record }
                #expect(content.contains(Array("said".utf8)))
                let profile = try ProfileRecord(stored: try #require(try alice.store.value(ProfileRecord.key)))
                #expect(profile.account.bytes.withUnsafeBytes { content.contains(Array($0)) })
                let others = try ProfileRecord(stored: try #require(try bob.store.value(ProfileRecord.key)))
                let secrets = try Self.secrets(
                    of: alice, profile, public: [profile.certificate.encoded, others.certificate.encoded])
                #expect(secrets.count > 100)
                for secret in secrets { #expect(!content.contains(secret), "\(secret)") }
            }
        }
    }

    /// Secrets that must not leave the device. `certificates` are public parts of the members: their names and account keys are
    /// in a group and in a backup, and the pieces are cut at different places each time.
    private static func secrets(
        of person: Person, _ profile: ProfileRecord, public certificates: [[UInt8]]
    ) throws -> [[UInt8]] {
        let relays = try person.store.allValues(.relay).map(\.bytes)
        let channels = try person.store.allValues(.conversation).map {
            try ConversationRecord(stored: $0.bytes).channel.bytes
        }
        let isPublic = { (piece: [UInt8]) in
            (certificates + relays + channels).contains { $0.contains(piece) }
        }
        var secrets = [profile.signer.bytes.withUnsafeBytes { Array($0) }]
        for table in [StoreTable.epoch, .record, .keyPackage] {
            // Groups and key packages hold many keys. One piece of each value stands for all.
            secrets += try person.store.allValues(table).flatMap { value in
                stride(from: 0, to: max(0, value.bytes.count - 32), by: 32).map { Array(value.bytes[$0..<$0 + 32]) }
                    .filter { Set($0).count > 16 && !isPublic($0) }
            }
        }
        for value in try person.store.allValues(.inbox) {
            let record = try InboxRecord(stored: value.bytes)
            secrets += [record.readToken, record.turnToken, record.appendToken].map { token in
                var writer = TLSWriter(capacity: 32)
                writer.write(token)
                return writer.bytes
            }
        }
        for value in try person.store.allValues(.contact) {
            let contact = try Contact(id: ContactID(rawValue: value.item), stored: value.bytes)
            if let inbox = contact.inbox {
                var writer = TLSWriter(capacity: 32)
                writer.write(inbox.appendToken)
                secrets.append(writer.bytes)
            }
        }
        return secrets
    }

    @Test("a wrong passphrase and a cut file are refused")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let alice = try await Person("alice")
            let file = folder.appendingPathComponent("backup")
            try await alice.profile.writeBackup(to: file, passphrase: "abc", cost: .cheap)
            await #expect(throws: KithError.backup(.wrongPassphrase)) {
                try await alice.profile.writeBackup(
                    to: folder.appendingPathComponent("other"), passphrase: "", cost: .cheap)
            }
            #expect(throws: KithError.backup(.wrongPassphrase)) {
                try Profile.transaction(from: file, "abd", deviceName: "new")
            }
            let bytes = try Data(contentsOf: file)
            let cut = folder.appendingPathComponent("cut")
            try bytes.dropLast().write(to: cut)
            #expect(throws: KithError.backup(.damaged)) { try Profile.transaction(from: cut, "abc", deviceName: "new") }
            await alice.profile.close()
        }
    }
}
