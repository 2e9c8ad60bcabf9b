import KithSimulation
import Testing

@Suite("Schedules")
struct ScheduleTests {
    @Test("of few people lose nothing, repeat nothing and leak nothing", arguments: 1...36 as ClosedRange<UInt64>)
    func small(seed: UInt64) {
        let report = Simulation.run(seed: seed, profile: .small)
        #expect(report.violations.isEmpty, "kith-simulate --profile small --seeds \(seed) --trace")
        #expect(report.operations > 0)
    }

    @Test("in which people edit, delete, pin and react come to the same state on all devices")
    func changing() {
        var changes = 0
        for seed in 1...8 as ClosedRange<UInt64> {
            let report = Simulation.run(seed: seed, profile: .changing)
            #expect(report.violations.isEmpty, "kith-simulate --profile changing --seeds \(seed) --trace")
            changes += report.changes
        }
        #expect(changes > 20)
    }

    @Test("of one seed are the same every time")
    func reproducible() {
        for seed in 1...6 as ClosedRange<UInt64> {
            let first = Simulation.run(seed: seed, profile: .small)
            let second = Simulation.run(seed: seed, profile: .small)
            #expect(first.trace == second.trace && first.events == second.events)
        }
    }
}
