import Foundation

/// One pair, one message at a time, against the least that it could take: one write and sync of a page, and two round
/// trips over TLS, measured in turn with it.
struct Latency: Scenario {
    var payloadSize = 200
    var messages = 1000

    let name = "latency"

    var title: String { "Latency: one pair, one message at a time, payloads of \(payloadSize) bytes, TLS" }

    func run(_ bench: Bench) async throws {
        let floor = try FloorServer(bench)
        defer { floor.process.kill() }
        let echo = bench.loadLoop()
        let size = payloadSize
        let echoSender = try await echo.connect(to: floor.endpoint) { EchoLoad(size: size, tally: $0) }
        let disk = try DiskFloor(at: bench.workspace.path("disk"))

        let kinds = [MessageServerKind.kith, .mosquitto].filter { bench.options.wants($0.rawValue) && $0.isInstalled }
        var pairs: [(kind: MessageServerKind, server: any MessageServer, load: LoadLoop, sender: LoadLoop.Index)] = []
        defer { for pair in pairs { pair.server.process.kill() } }
        for kind in kinds {
            let server = try kind.start(bench)
            let (load, pair) = (bench.loadLoop(), Pair(name: "0"))
            try await load.connect(to: server.endpoint) {
                server.load(.receiver, of: pair, payloadSize: size, tally: $0)
            }
            let sender = try await load.connect(to: server.endpoint) {
                server.load(.sender(inFlight: 1), of: pair, payloadSize: size, tally: $0)
            }
            pairs.append((kind, server, load, sender))
        }

        var samples = Samples()
        // The first round is for warming up.
        for round in 0...bench.options.rounds {
            let taken = pairs
            let sample = try await bench.undisturbed {
                let writes = disk.measure(messages)
                let echoes = try await echo.oneAtATime(messages, from: echoSender)
                var trips: [MessageServerKind: [LoadLoop.RoundTrip]] = [:]
                for pair in taken { trips[pair.kind] = try await pair.load.oneAtATime(messages, from: pair.sender) }
                return (writes, echoes.map(\.delivered), trips)
            }
            if round > 0 { samples.add(sample) }
        }
        for kind in kinds { report(samples, kind, bench) }
        reportFloor(samples, bench)
    }

    private struct Samples {
        var overwrites: [[Int64]] = []
        var appends: [[Int64]] = []
        var echoes: [[Int64]] = []
        var servers: [MessageServerKind: [[LoadLoop.RoundTrip]]] = [:]

        mutating func add(
            _ sample: (
                writes: (appends: [Int64], overwrites: [Int64]), echoes: [Int64],
                trips: [MessageServerKind: [LoadLoop.RoundTrip]]
            )
        ) {
            overwrites.append(sample.writes.overwrites)
            appends.append(sample.writes.appends)
            echoes.append(sample.echoes)
            for (kind, trips) in sample.trips { servers[kind, default: []].append(trips) }
        }

        /// Of each round, in microseconds.
        var floors: [Double] {
            zip(appends, echoes).map { Latency.microseconds($0, 0.5) + 2 * Latency.microseconds($1, 0.5) }
        }
    }

    private static func microseconds(_ nanoseconds: [Int64], _ share: Double) -> Double {
        Double(nanoseconds.quantile(share) ?? 0) / 1000
    }

    private func figure(
        _ subject: String, _ quantity: String, _ values: [Double], _ unit: String = "us", bar: Figure.Bar? = nil
    ) -> Figure {
        Figure(
            scenario: name, subject: subject, name: quantity, value: values.median, unit: unit, bar: bar,
            rounds: values)
    }

    private func report(_ samples: Samples, _ kind: MessageServerKind, _ bench: Bench) {
        let rounds = samples.servers[kind] ?? []
        let delivered = rounds.map { $0.map(\.delivered) }
        let acknowledged = rounds.map { $0.map(\.acknowledged) }
        let p50 = delivered.map { Self.microseconds($0, 0.5) }
        let p99 = delivered.map { Self.microseconds($0, 0.99) }
        let name = kind.rawValue
        bench.report(figure(name, "sent to delivered, p50", p50))
        bench.report(figure(name, "sent to delivered, p99", p99))
        bench.report(figure(name, "sent to acknowledged, p50", acknowledged.map { Self.microseconds($0, 0.5) }))
        bench.report(figure(name, "sent to acknowledged, p99", acknowledged.map { Self.microseconds($0, 0.99) }))
        guard kind == .kith else { return }
        let floors = samples.floors
        bench.report(
            figure("kith / floor", "sent to delivered, p50", zip(p50, floors).map { $0 / $1 }, "x", bar: .atMost(1.5)))
        bench.report(
            figure("kith / floor", "sent to delivered, p99", zip(p99, floors).map { $0 / $1 }, "x", bar: .atMost(5)))
    }

    private func reportFloor(_ samples: Samples, _ bench: Bench) {
        bench.report(figure("floor", "one append and sync, two round trips, p50", samples.floors))
        let parts = [
            ("4 KiB appended and fdatasync", samples.appends), ("4 KiB overwritten and fdatasync", samples.overwrites),
            ("round trip over TLS", samples.echoes),
        ]
        for (name, rounds) in parts {
            bench.report(figure("floor", name + ", p50", rounds.map { Self.microseconds($0, 0.5) }))
            bench.report(figure("floor", name + ", p99", rounds.map { Self.microseconds($0, 0.99) }))
        }
    }
}

/// What the disk takes to make a page durable.
struct DiskFloor {
    private let descriptor: Int32
    private let page = [UInt8](repeating: 0x5a, count: 4096)
    private static let pages = 1024

    init(at path: String) throws {
        descriptor = open(path, O_CREAT | O_RDWR, 0o600)
        guard descriptor >= 0 else { throw ServerFailure("cannot write to \(path)") }
    }

    /// Nanoseconds of writes that lengthen the file, as a log grows, and of writes into what is there already, as in a
    /// log that is used again.
    func measure(_ count: Int) -> (appends: [Int64], overwrites: [Int64]) {
        ftruncate(descriptor, 0)
        for index in 0..<Self.pages { pwrite(descriptor, page, page.count, off_t(index * page.count)) }
        fsync(descriptor)
        let overwrites = (0..<count).map { write(page: $0 % Self.pages) }
        let appends = (0..<count).map { write(page: Self.pages + $0) }
        return (appends, overwrites)
    }

    private func write(page index: Int) -> Int64 {
        let clock = ContinuousClock()
        let elapsed = clock.measure {
            pwrite(descriptor, page, page.count, off_t(index * page.count))
            fdatasync(descriptor)
        }
        return elapsed.components.attoseconds / 1_000_000_000 + elapsed.components.seconds * 1_000_000_000
    }
}
