import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import KithSimulation

@Suite("Live checks")
struct PresenceTests {
    @Test("a member who sends challenges without end gets a limited number of answers per interval")
    func flood() throws {
        let group = try SimulatedGroup(seed: 2)
        let clients = group.simulation.clients
        let (asker, answerer) = (try #require(clients[1].machine), try #require(clients[2].machine))
        let (from, to) = (group.conversation(of: 1), group.conversation(of: 2))
        let conversation = try #require(answerer.state.conversations[to]?.machine)
        let tag = try #require(conversation.sync.following?.tag)

        /// Sends a number of challenges and returns the number of answers.
        func answers(to count: Int, at now: UInt64) throws -> Int {
            var answers = 0
            for _ in 0..<count {
                let asked = try asker.handle([.command(CommandID(rawValue: 1 << 40), .liveCheck(from))], now: now)
                for payload in asked.whispers {
                    let input = ProfileInput.followed(conversation.record.relay, tag: tag, .whisper(payload))
                    answers += try answerer.handle([input], now: now).whispers.count
                }
            }
            return answers
        }
        let now = max(clients[1].localNow, clients[2].localNow) + 60_000
        #expect(try answers(to: 3 * ClientLimits.liveWhispers, at: now) == ClientLimits.liveWhispers)
        #expect(try answers(to: 1, at: now + 100) == 0)
        #expect(try answers(to: 1, at: now + ClientLimits.presenceMs) == 1)
    }
}

extension ProfileOutput {
    fileprivate var whispers: [ArraySlice<UInt8>] {
        effects.compactMap { effect in
            if case .request(_, _, .whisper(_, _, let payload)) = effect { payload } else { nil }
        }
    }
}
