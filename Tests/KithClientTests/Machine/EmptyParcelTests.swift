import KithWire
import MLS
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A stranger with an invite")
struct EmptyParcelTests {
    /// Puts a letter with a genuine Welcome into an inbox, whose tree is said to be in a channel that holds nothing.
    ///
    /// - Parameter firstPart: whether the channel holds the first of two parts, twice, instead.
    private func deposit(
        in inbox: InboxAddress, emptyParcel length: UInt32, firstPart: Bool = false
    ) async throws {
        let connection = try await RelayConnection.connect(
            to: inbox.relay.address, trust: .pinned(inbox.relay.pin), timeouts: .patient)
        _ = try await connection.request(
            .present(channel: inbox.channel, epoch: 0, tokens: [inbox.appendToken]))
        let reply = try await connection.request(.withdraw(channel: inbox.channel))
        guard case .keyPackage(let sealed, _) = reply,
            let bytes = inbox.sealKey.open(sealed.bytes, .keyPackage, channel: inbox.channel.bytes),
            case .keyPackage(let keyPackage) = try MLSMessage.decode(bytes)
        else {
            Issue.record("no key package: \(reply)")
            return
        }
        let profile = try ProfileRecord(
            account: AccountPrivateKey(random: .system), name: "mallory", deviceName: "d", now: Profile.now,
            random: .system)
        let seconds = Profile.now / 1000
        let environment = MLSEnvironment(authentication: CertifiedDevices(), now: seconds)
        var group = try Group(
            creating: ChannelID.random().bytes, suite: profile.suite, client: profile.client,
            lifetime: Lifetime(ofKeyPackageMadeAt: seconds), in: environment)
        let commit = try group.commit(CommitOptions([.add(keyPackage)]), in: environment)
        let empty = KnownChannel()
        _ = try await connection.request(empty.creating)
        let tree = ParcelAddress(
            channel: empty.id, readToken: empty.read, key: [UInt8](repeating: 1, count: 32), length: length)
        if firstPart {
            let part = try #require(tree.seal([UInt8](repeating: 2, count: Int(length)))?.first)
            _ = try await connection.request(empty.presenting)
            for _ in 1...2 {
                _ = try await connection.request(empty.appending(Array(part)))
            }
        }
        let message = InboxMessage(
            relay: inbox.relay, title: "nothing", isDirect: false, welcome: try #require(commit.welcome).encoded,
            tree: .parcel(tree), view: .nothing)
        let letter = try InboxLetter(message, to: keyPackage, channel: inbox.channel, random: .system)
        let payload = try #require(
            inbox.sealKey.seal(letter.encoded, .message, channel: inbox.channel.bytes, random: .system))
        _ = try await connection.request(
            .append(channel: inbox.channel, epoch: 0, id: .random(), payload: payload[...]))
        await connection.close()
    }

    @Test("a letter that names a tree that does not exist blocks no later letter", arguments: [0, 1, 1_000_000])
    func emptyParcel(length: UInt32) async throws {
        try await withRelay { relay in
            let alice = try await Person("alice")
            let bob = try await Person("bob")
            let invite = try await alice.profile.createInvite(
                at: relay.point, isReusable: true
            ).invite
            try await deposit(in: invite.inbox, emptyParcel: length)
            try await deposit(in: invite.inbox, emptyParcel: 200 << 10, firstPart: true)
            _ = try await bob.profile.join(invite)
            try await eventually({ try await alice.profile.conversations().map(\.name) }) {
                $0 == ["bob"]
            }
            await alice.profile.close()
            await bob.profile.close()
        }
    }
}
