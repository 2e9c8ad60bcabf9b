import Foundation
import KithRelay
import KithWire
import MLS
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// A group of alice, bob and carol at a relay whose whole store is on the disk.
struct FileGroup {
    let alice: FilePerson
    let bob: FilePerson
    let carol: FilePerson
    let relay: Relay
    /// The folder of the relay's key and store.
    let relayFolder: URL
    let log: LogLines

    static let name = "all"

    var point: RelayPoint {
        get throws {
            RelayPoint(address: try #require(RelayAddress(host: relay.host, port: relay.port)), pin: relay.pin)
        }
    }

    /// Runs `body` when all three have the group and its first text, and closes everything afterwards.
    static func with(_ body: (FileGroup) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let (log, relayFolder) = (LogLines(), folder.appending(path: "relay"))
            var configuration = RelayConfiguration(host: "127.0.0.1", port: 0)
            configuration.metricsHost = "127.0.0.1"
            configuration.logger = log.logger(level: .trace)
            let relay = try await Relay.start(in: relayFolder, configuration)
            let people = try await ["alice", "bob", "carol"].asyncMap { try await FilePerson($0, in: folder) }
            let group = FileGroup(
                alice: people[0], bob: people[1], carol: people[2], relay: relay, relayFolder: relayFolder, log: log)
            do {
                try await group.meet()
                try await body(group)
            } catch {
                await group.close()
                throw error
            }
            await group.close()
        }
    }

    private func close() async {
        for person in [alice, bob, carol] { await person.profile.close() }
        await relay.stop()
    }

    private func meet() async throws {
        let invite = try await alice.profile.createInvite(at: try point, isReusable: true).invite
        for person in [bob, carol] { _ = try await person.profile.join(invite) }
        try await eventually({ try await alice.profile.conversations().count }) { $0 == 2 }
        for conversation in try await alice.profile.conversations() { try await alice.profile.accept(conversation.id) }
        try await eventually({ await alice.profile.contacts().count { $0.inbox != nil } }) { $0 == 2 }
        let members = await alice.profile.contacts().map(\.id)
        let group = try await alice.profile.createGroup(Self.name, at: try point, members: members)
        try await alice.profile.send("hello", to: group)
        for person in [bob, carol] {
            try await eventually({ try await person.profile.conversations().map(\.name) }) { $0.contains(Self.name) }
            let id = try await person.conversation(Self.name)
            try await eventually({ try await person.profile.history(of: id).compactMap(\.text) }) { $0 == ["hello"] }
        }
    }

    /// Sends a file from alice to the group.
    func send(_ name: String, _ content: [UInt8], caption: String = "") async throws {
        let file = FileToSend.file(try alice.write(name, content))
        try await alice.profile.files.send([file], caption: caption, to: try await alice.conversation(Self.name))
    }
}

extension Profile {
    /// A copy of a conversation's group, and the keys to its channel.
    func keys(of id: ConversationID) throws -> GroupKeys {
        let place = try machine.state.conversations.conversation(id)
        let group = try place.group(in: &machine.state.device)
        var channel = KnownChannel(id: place.machine.record.channel, epoch: place.machine.record.epoch)
        let tokens = try EpochTokens(group)
        (channel.read, channel.append, channel.turn) = (tokens.read, tokens.append, tokens.turn)
        return GroupKeys(group: group, channel: channel, lastSeq: place.machine.record.lastSeq)
    }

    /// The blob of a file that is in the history.
    func blob(_ number: Int, of seq: UInt64, in id: ConversationID) throws -> BlobReference? {
        let place = FilePlace(conversation: id, seq: seq, number: number)
        if case .blob(let blob) = try FileViews(machine).attachment(at: place).place { return blob }
        return nil
    }

    /// The user's account.
    var account: AccountKey { machine.state.device.account }

    /// The tokens that delete the blobs of an own message.
    func ownBlobs(of seq: UInt64, in id: ConversationID) throws -> [OwnBlob] {
        try machine.state.device.readableEntry(at: EntryPlace(conversation: id, seq: seq))?.blobs ?? []
    }
}

/// A member's keys at one moment.
struct GroupKeys: Sendable {
    var group: Group
    let channel: KnownChannel
    let lastSeq: UInt64
}
