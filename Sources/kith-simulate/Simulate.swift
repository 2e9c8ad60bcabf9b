import ArgumentParser
import Foundation
import KithSimulation

@main
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kith-simulate",
        abstract:
            "Runs the clients of many people over relays in virtual time, with crashes, lost connections and lies.",
        discussion: """
            Each seed is one schedule of actions and faults. A seed that fails will always fail:

              kith-simulate --seeds 1..10000
              kith-simulate --profile large --seeds 1..20
              kith-simulate --seeds 4711 --trace

            Exit code: 0 if every schedule kept all invariants, 1 otherwise.
            """)

    @Option(help: ArgumentHelp("The seeds, both included.", valueName: "A..B"))
    var seeds: SeedRange = SeedRange(1...100)

    @Option(
        help:
            "small: 2 to 6 people; large: 50 to 60; lying: 3 to 6, and relays that lie before a turn; changing: 2 to 6, who edit and delete."
    )
    var profile: ProfileName = .small

    @Option(help: "Number of schedules that run at the same time.")
    var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print one line of JSON for each schedule.")
    var json = false

    @Flag(help: "Print the trace of each schedule.")
    var trace = false

    func run() async throws {
        let tally = Tally(count: seeds.range.count, json: json, profile: profile)
        let schedule = profile.value
        let keepsTrace = trace
        await withTaskGroup(of: SimulationReport.self) { group in
            var rest = seeds.range.makeIterator()
            func add() {
                guard let seed = rest.next() else { return }
                group.addTask { SimulationReport.of(seed, schedule, keepsTrace: keepsTrace) }
            }
            for _ in 0..<max(1, jobs) { add() }
            while let report = await group.next() {
                tally.add(report)
                add()
            }
        }
        tally.finish()
        if tally.failures > 0 { throw ExitCode.failure }
    }
}

extension SimulationReport {
    fileprivate static func of(_ seed: UInt64, _ profile: SimulationProfile, keepsTrace: Bool) -> SimulationReport {
        Simulation.run(seed: seed, profile: profile, keepsTrace: keepsTrace)
    }
}

/// The names of the simulation's profiles on the command line.
enum ProfileName: String, ExpressibleByArgument, CaseIterable {
    case small, large, lying, changing

    var value: SimulationProfile {
        switch self {
        case .small: .small
        case .large: .large
        case .lying: .lying
        case .changing: .changing
        }
    }
}

/// A range of seeds, written as `A..B` or `A`.
struct SeedRange: ExpressibleByArgument {
    let range: ClosedRange<UInt64>

    init(_ range: ClosedRange<UInt64>) { self.range = range }

    init?(argument: String) {
        let ends = argument.components(separatedBy: "..").map { UInt64($0) }
        guard let first = ends.first.flatMap({ $0 }), let last = ends.last.flatMap({ $0 }), ends.count <= 2,
            first <= last
        else { return nil }
        range = first...last
    }

    var defaultValueDescription: String { "\(range.lowerBound)..\(range.upperBound)" }
}
