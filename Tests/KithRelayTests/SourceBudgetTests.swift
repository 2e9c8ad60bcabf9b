import KithWire
import RelayTestSupport
import Testing

@testable import KithRelay

@Suite("Budgets of addresses")
struct SourceBudgetTests {
    @Test("a turn costs its address's budget two rows", .timeLimit(.minutes(5)))
    func turns() async throws {
        let hub = BareHub { $0.addressMiBPerDay = 1 }
        hub.open(1)
        let channel = try #require(try await hub.makeChannels(1, on: 1).first)
        let large = [UInt8](repeating: 1, count: 250_000)
        for _ in 0..<4 { #expect(await hub.refusal(of: .append(channel, large), on: 1) == nil) }
        let left = (1 << 20) - 4 * SourceBudget.cost(250_000)
        var turns: UInt64 = 0
        while turns < 1_000 {
            let turn = Request.turn(
                channel: channel.id, epoch: turns, id: .random(), payload: [], nextAccess: channel.access)
            guard await hub.refusal(of: turn, on: 1) == nil else { break }
            turns += 1
            let present = Request.present(channel: channel.id, epoch: turns, tokens: [channel.turn])
            #expect(await hub.ask(present, on: 1) == .granted(.turn))
        }
        #expect(Int(turns) == left / 256 + 1)
        try await hub.close()
    }
}
