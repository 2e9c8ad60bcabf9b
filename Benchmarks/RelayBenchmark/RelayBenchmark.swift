import ArgumentParser

/// Measures the relay beside its peers. Everything stays on this machine's loopback interface.
@main
struct RelayBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures the relay beside its peers, over loopback.",
        subcommands: [
            All.self, Peers.self, ThroughputCommand.self, LatencyCommand.self, ConnectionsCommand.self,
            FollowersCommand.self, FairnessCommand.self, StartupCommand.self, Drive.self, FloorCommand.self,
            Hostile.self,
        ])
}

struct All: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run every scenario.")
    @OptionGroup var options: BenchOptions
    @Option(help: "A relay's folder whose startup is measured too.")
    var store: String?

    func run() async throws {
        try await Bench.run(
            options, [Throughput(), Latency(), Connections(), Followers(), Fairness(), Startup(store: store)])
    }
}

struct Peers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Put the same load on the peers only.")
    @OptionGroup var options: BenchOptions

    func run() async throws {
        var options = self.options
        options.only = ["mosquitto", "redis", "openssl"]
        try await Bench.run(options, [Throughput(), Latency(), Connections()])
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

struct ConnectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections", abstract: "Memory of idle connections, and handshakes in each CPU second.")
    @OptionGroup var options: BenchOptions

    func run() async throws { try await Bench.run(options, [Connections()]) }
}

struct FollowersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "followers", abstract: "One append to many followers, against the time to write as many records.")
    @OptionGroup var options: BenchOptions

    func run() async throws { try await Bench.run(options, [Followers()]) }
}

struct StartupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "startup", abstract: "From starting the relay to its listening.")
    @OptionGroup var options: BenchOptions
    @Option(help: "A relay's folder whose startup is measured too.")
    var store: String?

    func run() async throws { try await Bench.run(options, [Startup(store: store)]) }
}
