import Foundation
import NIOCore

/// Measures the time until an append to a channel has reached all of its many followers. The floor is a server that only writes
/// a TLS record of that size to as many connections.
struct Followers: Scenario {
    let name = "followers"
    var payloadSize = 200
    /// Number of appends per round.
    var appends = 12

    var title: String { "Followers: one append of \(payloadSize) bytes to a channel that many connections follow" }

    private static let atOnce = 16

    func run(_ bench: Bench) async throws {
        let relay = try await measureRelay(bench)
        // The floor is measured after the relay, not at the same time: twice as many connections would exceed the number of
        // open files that many systems allow for a process.
        let floor = try await measureFloor(bench, recordSize: relay.recordSize)
        let count = bench.options.connections
        bench.report(figure("kith", "an append to \(count) has reached all", relay.reached, "ms"))
        bench.report(figure("floor", "\(count) records of \(relay.recordSize) bytes written", floor.written, "ms"))
        bench.report(figure("floor", "they have reached all", floor.reached, "ms"))
        let reached = relay.reached.median
        bench.report(figure("kith / floor", "reached all / written", [reached / floor.written.median], "x", .atMost(2)))
        bench.report(figure("kith / floor", "reached all / reached all", [reached / floor.reached.median], "x"))
        bench.report(figure("kith", "memory of a follower", [relay.followerKiB], "KiB"))
        bench.report(figure("kith", "memory gained by each append to all", [relay.gainedKiB], "KiB"))
    }

    private func figure(
        _ subject: String, _ quantity: String, _ values: [Double], _ unit: String, _ bar: Figure.Bar? = nil
    ) -> Figure {
        Figure(
            scenario: name, subject: subject, name: quantity, value: values.median, unit: unit, bar: bar, rounds: values
        )
    }

    /// The results for the relay, with times in milliseconds.
    private struct RelayTimes {
        var reached: [Double] = []
        var recordSize = 0
        var followerKiB = 0.0
        var gainedKiB = 0.0
    }

    private func measureRelay(_ bench: Bench) async throws -> RelayTimes {
        let (count, size) = (bench.options.connections, payloadSize)
        let relay = try Relay(bench, data: bench.workspace.path("kith"))
        defer { relay.process.kill() }
        let (load, pair) = (bench.loadLoop(), Pair(name: "0"))
        let empty = try relay.process.usage
        // The first connection creates the channel.
        try await open(1, load) {
            try await load.connect(to: relay.endpoint) { relay.load(.receiver, of: pair, payloadSize: size, tally: $0) }
        }
        try await open(count - 1, load) {
            try await load.connect(to: relay.endpoint) { relay.load(.follower, of: pair, payloadSize: size, tally: $0) }
        }
        let sender = try await load.connect(to: relay.endpoint) {
            relay.load(.sender(inFlight: 1), of: pair, payloadSize: size, tally: $0)
        }

        var times = RelayTimes()
        // This is the number of bytes that a follower gets for an append. The floor server writes as many.
        let idle = await load.read()
        _ = try await load.fanOut(from: sender, to: count)
        times.recordSize = (await load.read().bytesReceived - idle.bytesReceived) / count

        let before = try relay.process.usage
        times.followerKiB = Double(before.residentBytes - empty.residentBytes) / Double(count) / 1024
        for _ in 0..<bench.options.rounds {
            times.reached += try await bench.undisturbed {
                var reached: [Double] = []
                for _ in 0..<appends { reached.append(try await load.fanOut(from: sender, to: count)) }
                return reached
            }
        }
        let gained = try relay.process.usage.residentBytes - before.residentBytes
        times.gainedKiB = Double(gained) / Double(times.reached.count) / 1024
        relay.process.kill()
        await load.closeAll()
        return times
    }

    private func measureFloor(
        _ bench: Bench, recordSize: Int
    ) async throws -> (written: [Double], reached: [Double]) {
        let count = bench.options.connections
        let floor = try FloorServer(bench)
        defer { floor.process.kill() }
        let load = bench.loadLoop()
        try await open(count, load) {
            try await load.connect(to: floor.endpoint) { RecordLoad(size: recordSize, tally: $0) }
        }
        let trigger = try await load.connect(to: floor.endpoint) { RecordTrigger(size: recordSize, tally: $0) }
        _ = try await load.fanOut(from: trigger, to: count)
        var times: (written: [Double], reached: [Double]) = ([], [])
        for _ in 0..<bench.options.rounds {
            let samples = try await bench.undisturbed {
                var samples: [(written: Double, reached: Double)] = []
                for _ in 0..<appends {
                    let reached = try await load.fanOut(from: trigger, to: count)
                    samples.append((await load.lastReported() ?? .nan, reached))
                }
                return samples
            }
            times.written += samples.map(\.written)
            times.reached += samples.map(\.reached)
        }
        floor.process.kill()
        await load.closeAll()
        return times
    }

    private func open(
        _ count: Int, _ load: LoadLoop, _ connect: @escaping @Sendable () async throws -> LoadLoop.Index
    ) async throws {
        try await withThrowingTaskGroup { group in
            for worker in 0..<Self.atOnce {
                group.addTask {
                    for _ in stride(from: worker, to: count, by: Self.atOnce) { _ = try await connect() }
                }
            }
            try await group.waitForAll()
        }
    }
}

extension LoadLoop {
    /// Sends one message, and returns the milliseconds until `count` deliveries and the acknowledgement have arrived.
    func fanOut(from sender: Index, to count: Int, within seconds: Int64 = 20) async throws -> Double {
        let done = eventLoop.makePromise(of: NIODeadline.self)
        let (delivered, acknowledged) = (tally.delivered + count, tally.acknowledged + 1)
        var deliveredAt: NIODeadline?
        tally.onProgress = { [tally] in
            if tally.delivered >= delivered, deliveredAt == nil { deliveredAt = .now() }
            if tally.acknowledged >= acknowledged, let deliveredAt { done.succeed(deliveredAt) }
        }
        defer { tally.onProgress = {} }
        let timeout = eventLoop.scheduleTask(in: .seconds(seconds)) {
            done.fail(LoadFailure("one message had not reached all within \(seconds) s"))
        }
        defer { timeout.cancel() }
        let start = NIODeadline.now()
        sendOne(from: sender)
        return Double((try await done.futureResult.get() - start).nanoseconds) / 1e6
    }

    /// The last duration that a server reported, in milliseconds.
    func lastReported() -> Double? { tally.reported.last.map { Double($0) / 1e6 } }
}
