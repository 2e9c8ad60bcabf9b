import ArgumentParser
import Foundation
import NIOPosix

/// Measures one honest pair while hostile addresses send as much as the relay accepts from them, and compares the times with
/// those of the same pair on an idle relay. The relay has its default limits here. If the machine has two processors, the relay
/// and the attackers run on different processors.
struct Fairness: Scenario {
    var addresses = 8
    var connections = 62
    var payloadSize = 0
    var messages = 2000

    let name = "fairness"

    var title: String {
        "Fairness: one pair, one message each 10 ms, beside \(addresses) addresses of \(connections) connections"
    }

    func run(_ bench: Bench) async throws {
        var idle: [[Int64]] = []
        var busy: [[Int64]] = []
        var taken: [Double] = []
        for _ in 0..<bench.options.rounds {
            let relay = try Relay(bench, data: bench.workspace.path("fairness"), kind: .strict(onProcessor: 0))
            defer { relay.process.kill() }
            let load = bench.loadLoop()
            let pair = Pair(name: "honest")
            try await load.connect(to: relay.endpoint) { relay.load(.receiver, of: pair, payloadSize: 200, tally: $0) }
            let sender = try await load.connect(to: relay.endpoint) {
                relay.load(.sender(inFlight: 1), of: pair, payloadSize: 200, tally: $0)
            }
            idle.append(try await probe(load, sender))

            var attackers: [ChildProcess] = []
            defer { for attacker in attackers { attacker.kill() } }
            for number in 0..<addresses {
                attackers.append(try attack(bench, relay, from: "127.0.0.\(number + 2)"))
            }
            for attacker in attackers { _ = try attacker.readLine(within: 60) }
            let before = try relay.process.usage
            let start = ContinuousClock().now
            busy.append(try await probe(load, sender))
            let elapsed = ContinuousClock().now - start
            taken.append((try relay.process.usage.cpuSeconds - before.cpuSeconds) / (elapsed / .seconds(1)))
            await load.closeAll()
        }
        report(idle, busy, taken, bench)
    }

    private func attack(_ bench: Bench, _ relay: Relay, from source: String) throws -> ChildProcess {
        let command = [
            "hostile", "--port", "\(relay.endpoint.port)", "--source", source, "--connections", "\(connections)",
            "--payload", "\(payloadSize)",
        ]
        return try ChildProcess(pinned: bench.ownPath, command, to: 1)
    }

    /// Returns the times from the sending of each message to its delivery, in nanoseconds. The pair stays below its own rate
    /// limit.
    private func probe(_ load: LoadLoop, _ sender: LoadLoop.Index) async throws -> [Int64] {
        var times: [Int64] = []
        for number in 0..<messages {
            let trips = try await load.oneAtATime(1, from: sender)
            // The first twentieth of the messages is not counted, because it finds cold caches.
            if number >= messages / 20 { times += trips.map(\.delivered) }
            try await Task.sleep(for: .milliseconds(10))
        }
        return times
    }

    private func report(_ idle: [[Int64]], _ busy: [[Int64]], _ taken: [Double], _ bench: Bench) {
        func microseconds(_ rounds: [[Int64]], _ share: Double) -> [Double] {
            rounds.map { Double($0.quantile(share) ?? 0) / 1000 }
        }
        func report(_ quantity: String, _ values: [Double], _ unit: String, _ bar: Figure.Bar? = nil) {
            bench.report(
                Figure(
                    scenario: name, subject: "kith", name: quantity, value: values.median, unit: unit, bar: bar,
                    rounds: values))
        }
        for (share, bar) in [(0.5, 3.0), (0.99, 10.0)] {
            let (calm, attacked) = (microseconds(idle, share), microseconds(busy, share))
            let quantile = "p\(Int(share * 100))"
            report("sent to delivered on an idle relay, \(quantile)", calm, "us")
            report("sent to delivered under attack, \(quantile)", attacked, "us")
            report("under attack / idle, \(quantile)", zip(attacked, calm).map { $0 / $1 }, "x", .atMost(bar))
        }
        report("processors that the relay took under attack", taken, "")
    }
}

struct FairnessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fairness", abstract: "One honest pair beside hostile addresses, against an idle relay.")
    @OptionGroup var options: BenchOptions
    @Option var addresses = 8
    @Option var perAddress = 62
    @Option(help: "Bytes of each hostile message.") var payload = 0

    func run() async throws {
        try await Bench.run(
            options, [Fairness(addresses: addresses, connections: perAddress, payloadSize: payload)])
    }
}

/// One hostile address. It appends to a channel of its own as fast as the relay accepts the entries, until the process is
/// killed.
struct Hostile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var port: Int
    @Option var source: String
    @Option var connections: Int
    @Option var payload: Int

    func run() async throws {
        let load = LoadLoop(MultiThreadedEventLoopGroup(numberOfThreads: 1).next())
        var endpoint = Endpoint(port: port)
        endpoint.source = source
        let size = payload
        let channel = LoadChannel()
        // The number of messages in flight is that of a connection's burst. It is lower for long messages, so that the messages
        // of all connections fit into this program's memory.
        let inFlight = max(2, min(400, (1 << 18) / max(1, payload)))
        for number in 0..<connections {
            let role = number == 0 ? LoadRole.receiver : .sender(inFlight: inFlight)
            try await load.connect(to: endpoint) { KithLoad(role, channel: channel, payloadSize: size, tally: $0) }
        }
        await load.start()
        print("ready")
        fflush(nil)
        while true { try await Task.sleep(for: .seconds(60)) }
    }
}
