import KithSimulation
import KithWire
import MLS
import TLSCodec
import Testing

@testable import KithClient
@testable import KithCore

@Suite("The request of another process to send a text")
struct SendRequestTests {
    private static let now: UInt64 = 1_750_000_000_000

    private func request(_ channel: ChannelID?) -> SendRequest {
        SendRequest(
            OutgoingMessage(id: .random(), .text("for bob alone")), to: ConversationID(rawValue: 1), channel: channel)
    }

    @Test("is not carried out in another conversation that has the number meanwhile")
    func otherConversation() throws {
        let store = MemoryProfileStore()
        try store.commit(
            try ProfileRecord.new(
                name: "alice", deviceName: "d", suite: .x25519AES128SHA256Ed25519, now: Self.now, random: .system))
        let alice = try ProfileMachine(opening: store, now: Self.now)
        let relay = RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:4433")),
            pin: try #require(RelayPin([UInt8](repeating: 7, count: 32))))
        func perform<Answer>(_ command: Command<Answer>) throws -> Result<any Sendable, KithError>? {
            let output = try alice.handle([.command(CommandID(rawValue: 1), command)], now: Self.now)
            try store.commit(output.transaction)
            return output.effects.lazy.compactMap { if case .finish(_, let result) = $0 { result } else { nil } }.first
        }
        _ = try perform(.createGroup(title: "others", relay, []))
        let alone = try #require(alice.state.conversations[ConversationID(rawValue: 1)])
        let conversation = try alice.replace(alone) {
            $0.record.enter(0, begin: try #require($0.record.view), memberCount: 2)
        }

        guard case .failure(.notFound) = try perform(.takeRequest(item: 1, request(.random()).encoded)) else {
            Issue.record("it was taken")
            return
        }
        #expect(conversation.machine.outbox.isEmpty)
        _ = try perform(.takeRequest(item: 2, request(conversation.machine.record.channel).encoded))
        #expect(conversation.machine.outbox.items.count == 1)
    }

    @Test("is read as an earlier version stored it")
    func earlier() throws {
        let now = request(nil)
        #expect(try SendRequest(stored: now.encoded) == now)
        // Earlier versions stored the bare text; in the first, the channel was missing.
        var earlier = TLSWriter(capacity: 64)
        earlier.write(UInt8(2))
        earlier.write(now.entryID)
        earlier.write(now.conversation.rawValue)
        earlier.writeText("for bob alone")
        earlier.writeBytes([0, 0, 0])
        #expect(try SendRequest(stored: earlier.bytes) == now)
        #expect(try SendRequest(stored: [1] + earlier.bytes.dropFirst().dropLast()) == now)
        #expect(throws: (any Error).self) { try SendRequest(stored: [4] + now.encoded.dropFirst()) }
    }
}
