import KithSimulation
import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("A relay with the highest seq")
struct HighestSeqTests {
    private static let now: UInt64 = 1_750_000_000_000

    @Test("stops its own conversation, and not the profile")
    func pastTheHighest() throws {
        let store = MemoryProfileStore()
        try store.commit(
            try ProfileRecord.new(
                name: "alice", deviceName: "d", suite: .x25519AES128SHA256Ed25519, now: Self.now, random: .system))
        let alice = try ProfileMachine(opening: store, now: Self.now)
        func handle(_ inputs: [ProfileInput]) throws -> [Effect] {
            let output = try alice.handle(inputs, now: Self.now)
            for write in output.transaction.writes {
                if case .put(let key, _) = write { #expect(key.item <= StoreKey.highest) }
            }
            try store.commit(output.transaction)
            return output.effects
        }
        let point = RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:4433")),
            pin: try #require(RelayPin([UInt8](repeating: 7, count: 32))))
        _ = try handle([.command(CommandID(rawValue: 1), .createGroup(title: "group", point, []))])
        let short = try #require(alice.state.conversations[ConversationID(rawValue: 1)])
        let conversation = try alice.replace(short) {
            $0.record.begin(
                with: LogView(
                    beginning: 0, of: $0.record.channel,
                    authenticator: try $0.group(in: &alice.state.device).group.epochAuthenticator,
                    after: StoreKey.highest - 2))
        }
        let limits = AdvertisedLimits(
            payload: 1 << 18, frame: 1 << 19, requestsPerSecond: 200, requestBurst: 400, idleSeconds: 300,
            follows: 4_096, retentionSeconds: 86_400)
        let relay = conversation.machine.record.relay
        _ = try handle([.connected(relay, limits: limits)])
        let tag = try #require(conversation.machine.sync.following?.tag)
        let entries = (0..<3).map { index in
            Entry(
                seq: StoreKey.highest - 1 + UInt64(index), epoch: 0, kind: .message, receivedAtMs: 0, id: .random(),
                payload: [1])
        }
        _ = try handle([
            .followStarted(
                relay, tag: tag, firstSeq: StoreKey.highest - 1, lastSeq: StoreKey.highest + 1),
            .followed(relay, tag: tag, .entries(entries)),
        ])
        #expect(conversation.machine.record.lastSeq == StoreKey.highest - 1)
        #expect(conversation.machine.record.status == .stopped(seq: StoreKey.highest, reason: .brokenLog))
    }
}
