import Foundation
import NIOCore

/// Measures the number of messages that are delivered and acknowledged per second between pairs of connections. Each sender
/// always has as many messages in flight as allowed.
struct Throughput: Scenario {
    var pairs = 50
    var inFlight = 100
    var payloadSize = 200

    let name = "throughput"

    var title: String {
        "Throughput: \(pairs) pairs, \(inFlight) messages in flight each, payloads of \(payloadSize) bytes, TLS"
    }

    /// One round with one server.
    struct Round {
        /// The number of messages delivered per second, or acknowledged per second, whichever is smaller.
        let rate: Double
        let cpuMicrosecondsEach: Double
        let cpuShare: Double
        let loadShare: Double
        let residentMiB: Double
    }

    func run(_ bench: Bench) async throws {
        let kinds = MessageServerKind.allCases.filter { bench.options.wants($0.rawValue) && $0.isInstalled }
        var rounds: [MessageServerKind: [Round]] = [:]
        // Each round measures every server, so that other work of the machine affects all of them.
        for _ in 0..<bench.options.rounds {
            for kind in kinds {
                rounds[kind, default: []].append(try await bench.undisturbed { try await measure(kind, bench) })
            }
        }
        for kind in kinds { report(rounds[kind] ?? [], of: kind, bench) }
        if let ours = rounds[.kith], let theirs = rounds[.mosquitto] {
            let ratios = zip(ours, theirs).map { $0.rate / $1.rate }
            bench.report(figure("kith / mosquitto", "messages a second", ratios, "x", bar: .atLeast(2)))
        }
        for kind in kinds where kind != .redis { try await Durability(kind: kind).report(bench) }
    }

    private func figure(
        _ subject: String, _ quantity: String, _ values: [Double], _ unit: String, bar: Figure.Bar? = nil
    ) -> Figure {
        Figure(
            scenario: name, subject: subject, name: quantity, value: values.median, unit: unit, bar: bar,
            rounds: values)
    }

    private func report(_ rounds: [Round], of kind: MessageServerKind, _ bench: Bench) {
        let name = kind == .redis ? "redis, no TLS" : kind.rawValue
        let bar: Figure.Bar? = kind == .kith ? .atLeast(200_000) : nil
        bench.report(figure(name, "delivered and acknowledged", rounds.map(\.rate), "/s", bar: bar))
        bench.report(figure(name, "CPU time of the server each", rounds.map(\.cpuMicrosecondsEach), "us"))
        bench.report(figure(name, "cores used by the server", rounds.map(\.cpuShare), ""))
        bench.report(figure(name, "cores used by the load", rounds.map(\.loadShare), ""))
        bench.report(figure(name, "memory of the server afterwards", rounds.map(\.residentMiB), "MiB"))
    }

    private func measure(_ kind: MessageServerKind, _ bench: Bench) async throws -> Round {
        let server = try kind.start(bench)
        defer { server.process.kill() }
        let load = bench.loadLoop()
        for number in 0..<pairs {
            try await connect(Pair(name: "\(number)"), to: server, load)
        }
        await load.start()
        try await Task.sleep(for: .seconds(0.5))

        let (before, cpuBefore, ownBefore) = (await load.read(), try server.process.usage, try ProcessUsage.own)
        try await Task.sleep(for: .seconds(bench.options.seconds))
        let (after, cpuAfter, ownAfter) = (await load.read(), try server.process.usage, try ProcessUsage.own)

        await load.stop()
        // Every acknowledged message has to arrive. Otherwise the figures mean nothing.
        try await load.wait(atMost: 20, for: "the last messages") { reading in
            reading.delivered == reading.acknowledged && reading.acknowledged >= after.acknowledged
        }
        await load.closeAll()
        let seconds = Double((after.at - before.at).nanoseconds) / 1e9
        let messages = Double(min(after.delivered - before.delivered, after.acknowledged - before.acknowledged))
        let cpu = cpuAfter.cpuSeconds - cpuBefore.cpuSeconds
        return Round(
            rate: messages / seconds, cpuMicrosecondsEach: cpu / messages * 1e6, cpuShare: cpu / seconds,
            loadShare: (ownAfter.cpuSeconds - ownBefore.cpuSeconds) / seconds,
            residentMiB: Double(cpuAfter.residentBytes) / 1_048_576)
    }

    private func connect(_ pair: Pair, to server: any MessageServer, _ load: LoadLoop) async throws {
        for role in [LoadRole.receiver, .sender(inFlight: inFlight)] {
            let size = payloadSize
            try await load.connect(to: server.endpoint) { tally in
                server.load(role, of: pair, payloadSize: size, tally: tally)
            }
        }
    }
}

/// Kills the server after it has acknowledged a thousand messages, starts it again, and counts the messages that remain.
struct Durability {
    let kind: MessageServerKind
    var messages = 1000

    func report(_ bench: Bench) async throws {
        let store = bench.workspace.path("durability")
        let kept = kind == .kith ? try await kith(bench, store) : try await mosquitto(bench, store)
        bench.report(
            Figure(
                scenario: "throughput", subject: kind.rawValue, name: "left of \(messages) acknowledged after kill -9",
                value: Double(kept), unit: "", bar: kind == .kith ? .atLeast(Double(messages)) : nil))
    }

    private func kith(_ bench: Bench, _ store: String) async throws -> Int {
        let pair = Pair(name: "0")
        let first = try Relay(bench, data: store)
        defer { first.process.kill() }
        let load = bench.loadLoop()
        // The receiver creates the channel.
        for role in [LoadRole.receiver, .sender(inFlight: 100)] {
            try await load.connect(to: first.endpoint) { first.load(role, of: pair, payloadSize: 200, tally: $0) }
        }
        try await acknowledge(load)
        first.process.kill()

        let second = try Relay(bench, data: store)
        defer { second.process.kill() }
        let reader = bench.loadLoop()
        do {
            try await reader.connect(to: second.endpoint) {
                second.load(.follower, of: pair, payloadSize: 200, tally: $0)
            }
        } catch {
            // The channel itself is gone.
            return 0
        }
        return try await countArrivals(reader)
    }

    /// Measures mosquitto. The receiver has a session that outlives its connection, and is not connected while the messages
    /// arrive.
    private func mosquitto(_ bench: Bench, _ store: String) async throws -> Int {
        let first = try Mosquitto(bench, data: store)
        defer { first.process.kill() }
        let load = bench.loadLoop()
        let receiver = try await load.connect(to: first.endpoint) { Self.mqtt(.receiver, "r", $0) }
        await load.close(receiver)
        try await load.connect(to: first.endpoint) { Self.mqtt(.sender(inFlight: 100), "s", $0) }
        try await acknowledge(load)
        first.process.kill()

        let second = try Mosquitto(bench, data: store)
        defer { second.process.kill() }
        let reader = bench.loadLoop()
        try await reader.connect(to: second.endpoint) { Self.mqtt(.receiver, "r", $0) }
        return try await countArrivals(reader)
    }

    private static func mqtt(_ role: LoadRole, _ client: String, _ tally: Tally) -> MQTTLoad {
        MQTTLoad(role, topic: "pair/0", client: client, keepsSession: true, payloadSize: 200, tally: tally)
    }

    private func acknowledge(_ load: LoadLoop) async throws {
        await load.allow(messages)
        let messages = self.messages
        try await load.wait(atMost: 20, for: "\(messages) acknowledgements") { $0.acknowledged == messages }
    }

    /// Counts the arrivals until none has come for a second.
    private func countArrivals(_ load: LoadLoop) async throws -> Int {
        var last = -1
        while true {
            let count = await load.read().delivered
            if count == last || count >= messages { return count }
            last = count
            try await Task.sleep(for: .seconds(1))
        }
    }
}
