import Foundation

/// Measures one pair that sends one message at a time. The floor is the least time that a message could take: one write and
/// sync of a page, and two round trips over TLS. The floor and the messages are measured in turns.
struct Latency: Scenario {
    var payloadSize = 200
    var messages = 1000

    let name = "latency"

    private static let turns = 20

    var title: String { "Latency: one pair, one message at a time, payloads of \(payloadSize) bytes, TLS" }

    func run(_ bench: Bench) async throws {
        let floor = try FloorServer(bench)
        defer { floor.process.kill() }
        let echo = bench.loadLoop()
        let size = payloadSize
        let echoSender = try await echo.connect(to: floor.endpoint) { EchoLoad(size: size, tally: $0) }
        let disk = try DiskFloor(at: bench.workspace.path("disk"))

        var subjects: [Subject] = []
        defer { for subject in subjects { subject.server.process.kill() } }
        for (name, kind, isWorn) in Self.subjects where bench.options.wants(kind.rawValue) && kind.isInstalled {
            let server = try kind.start(bench)
            if isWorn { try await wear(server, bench) }
            let (load, pair) = (bench.loadLoop(), Pair(name: "0"))
            try await load.connect(to: server.endpoint) {
                server.load(.receiver, of: pair, payloadSize: size, tally: $0)
            }
            let sender = try await load.connect(to: server.endpoint) {
                server.load(.sender(inFlight: 1), of: pair, payloadSize: size, tally: $0)
            }
            subjects.append(Subject(name: name, server: server, load: load, sender: sender))
        }

        var samples = Samples()
        let taken = subjects
        // The first round warms up.
        for round in 0...bench.options.rounds {
            let sample = try await bench.undisturbed {
                var sample = Sample()
                // The turns are short. If other programs slow down the disk for a while, it is then slow for all subjects.
                for _ in 0..<Self.turns {
                    let writes = disk.measure(messages / Self.turns)
                    sample.appends += writes.appends
                    sample.overwrites += writes.overwrites
                    sample.echoes += try await echo.oneAtATime(messages / Self.turns, from: echoSender).map(\.delivered)
                    sample.chains += try await echo.oneAtATime(
                        messages / Self.turns, from: echoSender, trips: 2, first: { disk.append($0) }
                    ).map(\.delivered)
                    for subject in taken {
                        sample.trips[subject.name, default: []] +=
                            try await subject.load.oneAtATime(messages / Self.turns, from: subject.sender)
                    }
                }
                return sample
            }
            if round > 0 { samples.add(sample) }
        }
        for subject in subjects { report(samples, subject, bench) }
        reportFloor(samples, bench)
    }

    /// The relay is measured with a new store, and again after it has reused its log many times. On the disk, a commit that
    /// lengthens the log takes 1.5 times as long as a commit that overwrites a part of the log. The relay should not lengthen
    /// its log in either state.
    private static let subjects: [(name: String, kind: MessageServerKind, isWorn: Bool)] = [
        ("kith", .kith, false), ("kith after a million messages", .kith, true), ("mosquitto", .mosquitto, false),
    ]

    private struct Subject: Sendable {
        let name: String
        let server: any MessageServer
        let load: LoadLoop
        let sender: LoadLoop.Index
    }

    /// Sends the server a million messages, or as many as it accepts in half a minute.
    private func wear(_ server: any MessageServer, _ bench: Bench) async throws {
        let load = bench.loadLoop()
        for number in 1...20 {
            let pair = Pair(name: "\(number)")
            for role in [LoadRole.receiver, .sender(inFlight: 100)] {
                try await load.connect(to: server.endpoint) {
                    server.load(role, of: pair, payloadSize: 200, tally: $0)
                }
            }
        }
        await load.start()
        try? await load.wait(atMost: 30, for: "a million messages") { $0.acknowledged >= 1_000_000 }
        await load.stop()
        try await load.wait(atMost: 20, for: "the last messages") { $0.delivered == $0.acknowledged }
        await load.closeAll()
    }

    /// Times of one round, in nanoseconds.
    private struct Sample {
        var overwrites: [Int64] = []
        var appends: [Int64] = []
        var echoes: [Int64] = []
        /// A write and two round trips, timed as one.
        var chains: [Int64] = []
        var trips: [String: [LoadLoop.RoundTrip]] = [:]
    }

    private struct Samples {
        var overwrites: [[Int64]] = []
        var appends: [[Int64]] = []
        var echoes: [[Int64]] = []
        var chains: [[Int64]] = []
        var servers: [String: [[LoadLoop.RoundTrip]]] = [:]

        mutating func add(_ sample: Sample) {
            overwrites.append(sample.overwrites)
            appends.append(sample.appends)
            echoes.append(sample.echoes)
            chains.append(sample.chains)
            for (name, trips) in sample.trips { servers[name, default: []].append(trips) }
        }

        /// The floor of each round, in microseconds. The write lengthens the file, as with a new log.
        var floors: [Double] { zip(appends, echoes).map(Self.floor) }
        /// The floor of each round, with a write that overwrites a part of the file.
        var lowerFloors: [Double] { zip(overwrites, echoes).map(Self.floor) }

        /// The floor of each round, with the write and the round trips of each message in sequence, as a server has to do them.
        /// Before each write and each round trip, the processors or the disk may sleep, and have to wake up.
        var chainFloors: [Double] { chains.map { Latency.microseconds($0, 0.5) } }

        private static func floor(_ writes: [Int64], _ echoes: [Int64]) -> Double {
            Latency.microseconds(writes, 0.5) + 2 * Latency.microseconds(echoes, 0.5)
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

    private func report(_ samples: Samples, _ subject: Subject, _ bench: Bench) {
        let name = subject.name
        let rounds = samples.servers[name] ?? []
        let delivered = rounds.map { $0.map(\.delivered) }
        let acknowledged = rounds.map { $0.map(\.acknowledged) }
        let p50 = delivered.map { Self.microseconds($0, 0.5) }
        let p99 = delivered.map { Self.microseconds($0, 0.99) }
        bench.report(figure(name, "sent to delivered, p50", p50))
        bench.report(figure(name, "sent to delivered, p99", p99))
        bench.report(figure(name, "sent to acknowledged, p50", acknowledged.map { Self.microseconds($0, 0.5) }))
        bench.report(figure(name, "sent to acknowledged, p99", acknowledged.map { Self.microseconds($0, 0.99) }))
        guard subject.server is Relay else { return }
        func ratios(_ values: [Double], _ floors: [Double]) -> [Double] { zip(values, floors).map { $0 / $1 } }
        bench.report(figure(name, "p50 / floor", ratios(p50, samples.floors), "x", bar: .atMost(1.5)))
        bench.report(figure(name, "p99 / floor", ratios(p99, samples.floors), "x", bar: .atMost(5)))
        bench.report(figure(name, "p50 / floor with overwriting", ratios(p50, samples.lowerFloors), "x"))
        bench.report(figure(name, "p50 / floor one after the other", ratios(p50, samples.chainFloors), "x"))
    }

    private func reportFloor(_ samples: Samples, _ bench: Bench) {
        bench.report(figure("floor", "one append and sync, two round trips, p50", samples.floors))
        bench.report(figure("floor", "the same one after the other, p50", samples.chainFloors))
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

/// The time that the disk takes to make a page durable.
struct DiskFloor {
    private let descriptor: Int32
    private let page = [UInt8](repeating: 0x5a, count: 4096)
    private static let pages = 128

    init(at path: String) throws {
        descriptor = open(path, O_CREAT | O_RDWR, 0o600)
        guard descriptor >= 0 else { throw ServerFailure("cannot write to \(path)") }
    }

    /// Returns the times of two kinds of writes, in nanoseconds: writes that lengthen the file, as a new log grows, and writes
    /// over existing bytes, as in a reused log.
    func measure(_ count: Int) -> (appends: [Int64], overwrites: [Int64]) {
        ftruncate(descriptor, 0)
        // The first pages are written before the measurement, so only the appends have to allocate space on the disk.
        for index in 0..<Self.pages { pwrite(descriptor, page, page.count, off_t(index * page.count)) }
        fsync(descriptor)
        let overwrites = (0..<count).map { write(page: $0 % Self.pages) }
        let appends = (0..<count).map { write(page: Self.pages + $0) }
        return (appends, overwrites)
    }

    /// Writes a page to the file, behind the pages of ``measure(_:)``.
    func append(_ index: Int) { _ = write(page: 2 * Self.pages + index) }

    private func write(page index: Int) -> Int64 {
        let clock = ContinuousClock()
        let elapsed = clock.measure {
            pwrite(descriptor, page, page.count, off_t(index * page.count))
            fdatasync(descriptor)
        }
        return elapsed.components.attoseconds / 1_000_000_000 + elapsed.components.seconds * 1_000_000_000
    }
}
