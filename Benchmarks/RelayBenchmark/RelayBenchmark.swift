import ArgumentParser

/// Measures the relay beside its peers. Everything stays on this machine's loopback interface.
@main
struct RelayBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures the relay beside its peers, over loopback.",
        subcommands: [
            All.self, Peers.self, ThroughputCommand.self, LatencyCommand.self, Drive.self, FloorCommand.self,
        ])
}

struct All: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run every scenario.")
    @OptionGroup var options: BenchOptions

    func run() async throws {
        try await Bench.run(options, [Throughput(), Latency()])
    }
}

struct Peers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Put the same load on the peers only.")
    @OptionGroup var options: BenchOptions

    func run() async throws {
        var options = self.options
        options.only = ["mosquitto", "redis", "openssl"]
        try await Bench.run(options, [Throughput(), Latency()])
    }
}

struct ThroughputCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "throughput", abstract: "Messages a second of 50 pairs, and what survives kill -9.")
    @OptionGroup var options: BenchOptions
    @Option var pairs = 50
    @Option var inFlight = 100
    @Option var payload = 200

    func run() async throws {
        try await Bench.run(options, [Throughput(pairs: pairs, inFlight: inFlight, payloadSize: payload)])
    }
}

struct LatencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency", abstract: "One message at a time, against the disk's and TLS's own time.")
    @OptionGroup var options: BenchOptions

    func run() async throws { try await Bench.run(options, [Latency()]) }
}
