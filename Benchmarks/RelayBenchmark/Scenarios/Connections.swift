import Foundation
import NIOCore
import NIOSSL

/// Measures the memory that each of many idle connections costs the server, and the CPU time for accepting a connection.
struct Connections: Scenario {
    let name = "connections"
    var title: String { "Connections: idle ones over TLS, and handshakes" }

    /// Number of handshakes in one measurement of their rate.
    private static let handshakes = 2000
    /// Number of connections that are opened at the same time.
    private static let atOnce = 16

    func run(_ bench: Bench) async throws {
        for kind in [MessageServerKind.kith, .mosquitto] where bench.options.wants(kind.rawValue) && kind.isInstalled {
            try await idle(kind, bench)
        }
        try await handshakes(bench)
    }

    private func figure(
        _ subject: String, _ quantity: String, _ values: [Double], _ unit: String, bar: Figure.Bar? = nil
    ) -> Figure {
        Figure(
            scenario: name, subject: subject, name: quantity, value: values.median, unit: unit, bar: bar,
            rounds: values)
    }

    // MARK: Memory

    private func idle(_ kind: MessageServerKind, _ bench: Bench) async throws {
        let count = bench.options.connections
        let (bytes, perCPUSecond, seconds) = try await bench.undisturbed {
            let server = try kind.start(bench)
            defer { server.process.kill() }
            let load = bench.loadLoop()
            // The first connections cause one-time costs, so they are not measured.
            try await open(10, to: server, load, prefix: "first")
            let before = try server.process.usage
            let clock = ContinuousClock()
            let start = clock.now
            try await open(count, to: server, load, prefix: "idle")
            let elapsed = clock.now - start
            let connected = try server.process.usage
            try await Task.sleep(for: .seconds(1))
            let after = try server.process.usage
            return (
                Double(after.residentBytes - before.residentBytes) / Double(count),
                Double(count) / (connected.cpuSeconds - before.cpuSeconds),
                Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
            )
        }
        let bar: Figure.Bar? = kind == .kith ? .atMost(32) : nil
        bench.report(
            figure(kind.rawValue, "memory of each of \(count) idle connections", [bytes / 1024], "KiB", bar: bar))
        bench.report(figure(kind.rawValue, "connected and greeted in each CPU second", [perCPUSecond], "/s"))
        bench.report(figure(kind.rawValue, "connected and greeted", [Double(count) / seconds], "/s"))
    }

    private func open(_ count: Int, to server: any MessageServer, _ load: LoadLoop, prefix: String) async throws {
        try await withThrowingTaskGroup { group in
            for worker in 0..<Self.atOnce {
                group.addTask {
                    for number in stride(from: worker, to: count, by: Self.atOnce) {
                        try await load.connect(to: server.endpoint) {
                            server.load(.idle, of: Pair(name: "\(prefix)\(number)"), payloadSize: 0, tally: $0)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: Handshakes

    /// Measures connections that complete the TLS handshake and close. Each round measures one server after another. CPU time
    /// is compared, because `openssl s_server` serves one connection at a time, so wall time would be unfair to it.
    private func handshakes(_ bench: Bench) async throws {
        let hybrid = [NIOTLSCurve.x25519_MLKEM768, .x25519]
        var rates: [String: [Double]] = [:]
        for _ in 0..<bench.options.rounds {
            if bench.options.wants("kith") {
                for (label, curves) in [("kith, X25519", [.x25519]), ("kith, X25519MLKEM768", hybrid)] {
                    let rate = try await rate(bench, offering: curves) {
                        try Relay(bench, data: bench.workspace.path("kith"))
                    }
                    rates[label, default: []].append(rate)
                }
            }
            if bench.options.wants("openssl") {
                let certificate = try bench.certificate()
                let rate = try await rate(bench, offering: [.x25519]) { try OpenSSLServer(certificate) }
                rates["openssl s_server, X25519", default: []].append(rate)
            }
        }
        for label in rates.keys.sorted() {
            bench.report(figure(label, "handshakes in each CPU second", rates[label] ?? [], "/s"))
        }
        guard let peer = rates["openssl s_server, X25519"] else { return }
        for (label, bar) in [("X25519", Figure.Bar.atLeast(1)), ("X25519MLKEM768", nil)] {
            guard let ours = rates["kith, \(label)"] else { continue }
            let ratios = zip(ours, peer).map { $0 / $1 }
            bench.report(figure("kith, \(label) / openssl", "handshakes in each CPU second", ratios, "x", bar: bar))
        }
    }

    private func rate(
        _ bench: Bench, offering curves: [NIOTLSCurve], _ start: @Sendable () throws -> any BenchServer
    ) async throws -> Double {
        try await bench.undisturbed {
            let server = try start()
            defer { server.process.kill() }
            let load = bench.loadLoop()
            let endpoint = server.endpoint.offering(curves)
            try await shakeHands(50, endpoint, load)
            let before = try server.process.usage.cpuSeconds
            try await shakeHands(Self.handshakes, endpoint, load)
            return Double(Self.handshakes) / (try server.process.usage.cpuSeconds - before)
        }
    }

    private func shakeHands(_ count: Int, _ endpoint: Endpoint, _ load: LoadLoop) async throws {
        try await withThrowingTaskGroup { group in
            for _ in 0..<Self.atOnce {
                group.addTask {
                    for _ in 0..<(count / Self.atOnce) {
                        let index = try await load.connect(to: endpoint) { _ in HandshakeLoad() }
                        await load.close(index)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
