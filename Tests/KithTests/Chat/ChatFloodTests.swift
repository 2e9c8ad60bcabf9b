import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite struct ChatFloodTests {
    private let relay: RelayAddress
    private let now: UInt64 = 1_795_517_600_000

    init() throws { relay = try #require(RelayAddress("127.0.0.1:7443")) }

    private func summary(_ id: UInt64, isPending: Bool = true) -> ConversationSummary {
        ConversationSummary(
            id: ConversationID(rawValue: id), name: "stranger \(id)", contact: nil, isDirect: false, status: .active,
            memberCount: 2, unread: 0, readThrough: 0, lastSeq: 0, lastActivityMs: now, relay: relay,
            relayPin: RelayPin(ofSubjectPublicKeyInfo: [1]), isSuspect: false, isPending: isPending)
    }

    private func lines(_ events: [KithEvent], _ model: inout ChatModel, at time: UInt64) -> [String] {
        events.flatMap { event in
            model.handle(.event(event), now: time).flatMap { output in
                if case .show(let lines) = output { lines.map(\.text) } else { [String]() }
            }
        }
    }

    @Test("a hundred strangers take at most ten lines, and a later one is announced again")
    func strangers() throws {
        var model = ChatModel(
            ChatModel.Opening(
                me: "alice", conversation: summary(1, isPending: false), members: [], contacts: [], names: [:],
                history: []),
            isForPerson: true, takesCommands: true)
        let events = (2...101 as ClosedRange<UInt64>).flatMap { number in
            [
                KithEvent.inviteUsed(InboxID(rawValue: 1), ConversationID(rawValue: number)),
                .conversation(summary(number)), .conversation(summary(number)),
            ]
        }
        let shown = lines(events, &model, at: now)
        #expect(shown.count == 10)
        #expect(shown.contains { $0.contains("strangers began 100 conversations") })
        #expect(shown.contains { $0.contains("used 100 times") })
        let later = lines([.conversation(summary(102))], &model, at: now + ClientLimits.repeatMs)
        #expect(later.count == 1 && later.allSatisfy { $0.contains("stranger 102") })
    }
}
