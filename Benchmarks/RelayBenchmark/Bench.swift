import ArgumentParser
import Foundation
import NIOPosix
import Synchronization

/// The options of every scenario.
struct BenchOptions: ParsableArguments, Sendable {
    @Option(name: .customLong("kith"), help: "The kith program; the one beside this program unless given.")
    var kith: String?

    @Option(help: "Where stores are put: on the disk to be measured. Beside this program unless given.")
    var directory: String?

    @Option(help: "Also write all figures to this file, as JSON.")
    var json: String?

    @Option(help: "How often each measurement is repeated; the median counts.")
    var rounds = 5

    @Option(help: "Seconds that one measurement of throughput takes.")
    var seconds = 3.0

    @Option(help: "Connections of the scenarios that have many.")
    var connections = 10_000

    @Option(help: "The relay's threads for connections; the number of cores unless given.")
    var threads: Int?

    @Option(help: "Measure these servers only: kith, mosquitto, redis, openssl. May be repeated.")
    var only: [String] = []

    @Option(help: "Seconds that each scenario may spend on waiting for a quiet machine; 0 takes it as it is.")
    var patience = 120

    @Flag(help: "Have the relay keep its store in memory.")
    var memory = false

    func validate() throws {
        guard (1...100).contains(rounds), (0.1...60).contains(seconds), (2...25_000).contains(connections),
            (0...3600).contains(patience)
        else {
            throw ValidationError(
                "--rounds takes 1 to 100, --seconds 0.1 to 60, --connections 2 to 25000, --patience 0 to 3600.")
        }
    }

    func wants(_ server: String) -> Bool { only.isEmpty || only.contains(server) }

    var kithPath: String { kith ?? Self.sibling("kith") }

    static func sibling(_ name: String) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: own).deletingLastPathComponent().appending(path: name).path
    }
}

/// One run: its options, its folder, and its results.
final class Bench: Sendable {
    let options: BenchOptions
    let workspace: Workspace
    let ownPath = BenchOptions.sibling("RelayBenchmark")
    /// One thread makes the whole load, so that the load takes the same share of the machine from every server.
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let figures = Mutex<[Figure]>([])
    /// See `Quiet.swift`.
    let disturbances = Mutex<[Double]>([])
    let patience = Mutex<Duration>(.zero)
    private let sharedCertificate = Mutex<Certificate?>(nil)

    private init(_ options: BenchOptions) throws {
        self.options = options
        let parent = options.directory ?? URL(filePath: ownPath).deletingLastPathComponent().path
        workspace = try Workspace(in: URL(filePath: parent))
    }

    /// Runs scenarios. Cleans up after them, even after an error.
    static func run(_ options: BenchOptions, _ scenarios: [any Scenario]) async throws {
        raiseDescriptorLimit(for: options.connections)
        let bench = try Bench(options)
        defer { bench.workspace.remove() }
        guard !options.wants("kith") || FileManager.default.isExecutableFile(atPath: options.kithPath) else {
            throw ValidationError("no program at \(options.kithPath): build it, or say where it is with --kith")
        }
        var failures = 0
        for scenario in scenarios {
            print("\n\(scenario.title)")
            bench.patience.withLock { $0 = .seconds(options.patience) }
            do {
                try await scenario.run(bench)
                bench.reportDisturbance(scenario.name)
            } catch {
                failures += 1
                print("  FAILED: \(error)")
            }
        }
        if let json = options.json { try bench.write(to: json) }
        try await bench.group.shutdownGracefully()
        if failures > 0 { throw ExitCode.failure }
    }

    /// Raises the limit of open files to the number that the scenarios with many connections need: one file for each
    /// connection. The servers need as many files, and inherit the limit.
    private static func raiseDescriptorLimit(for connections: Int) {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        let wanted = rlim_t(connections + 1000)
        var limit = rlimit()
        getrlimit(resource, &limit)
        limit.rlim_max = max(limit.rlim_max, wanted)
        limit.rlim_cur = limit.rlim_max
        // Only root may raise the hard limit. Other users get the present hard limit.
        if setrlimit(resource, &limit) == 0 { return }
        getrlimit(resource, &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        if limit.rlim_cur < wanted { print("only \(limit.rlim_cur) open files are allowed, \(wanted) are wanted") }
    }

    /// A fresh loop without connections.
    func loadLoop() -> LoadLoop { LoadLoop(group.next()) }

    /// The peers' certificate, made on first use.
    func certificate() throws -> Certificate {
        try sharedCertificate.withLock { shared in
            if let shared { return shared }
            let made = try Certificate(in: workspace)
            shared = made
            return made
        }
    }

    // MARK: Figures

    func report(_ figure: Figure) {
        print("  \(figure.line)")
        fflush(nil)
        figures.withLock { $0.append(figure) }
    }

    private func write(to path: String) throws {
        struct Document: Encodable {
            let machine = Machine()
            let figures: [Figure]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(Document(figures: figures.withLock { $0 })).write(to: URL(filePath: path))
    }
}

/// A measurement that the program can run.
protocol Scenario: Sendable {
    /// The name in the figures.
    var name: String { get }
    /// The title above the figures.
    var title: String { get }
    func run(_ bench: Bench) async throws
}
