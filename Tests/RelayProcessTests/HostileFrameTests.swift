import Foundation
import KithClient
import KithWire
import RelayTestSupport
import Synchronization
import TLSCodec
import TestSupport
import Testing

extension MeasuredRelay {
    @Suite("Hostile frames")
    struct HostileFrameTests {
        @Test(
            "a million random and mutated frames: no crash, no growth, and an honest client gets every answer",
            .timeLimit(.minutes(10)))
        func millionFrames() async throws {
            let random = Seed("hostile frames")
            let folder = try RelayFolder()
            // Each refusal of a token is delayed. With the usual delay, this test would take an hour.
            var limits = RelayProcess.roomy
            limits["denied-ms"] = 1
            let relay = try await RelayProcess.start(in: folder, limits: limits)
            let targets = HostileTargets()
            try await targets.create(at: relay)
            let honest = try await HonestClient.start(at: relay)

            // The cost of the first frames stays: caches fill up, and the allocator keeps its memory.
            try await attack(relay, targets, frames: 100_000, random.branch(1))
            let before = try await relay.settledBytes()
            let requestsBefore = try await relay.metric("requests_total")
            let start = ContinuousClock.now
            let frames = Count.of(1_000_000, quick: 100_000)
            try await attack(relay, targets, frames: frames, random.branch(2))
            let taken = ContinuousClock.now - start
            let judged = try await relay.metric("requests_total") - requestsBefore
            let after = try await relay.settledBytes()
            let report = try await honest.stop()
            print(
                "hostile frames: \(judged) judged in \(taken); memory \(before >> 20) MiB before, \(after >> 20) MiB after; "
                    + "honest client: \(report)")
            #expect(relay.isAlive)
            #expect(judged >= frames)
            #expect(after - before < 24 << 20)
            #expect(report.refused == 0 && report.answered > 0)
            try await relay.kill9()
        }

        private func attack(_ relay: RelayProcess, _ targets: HostileTargets, frames: Int, _ random: Seed) async throws
        {
            let attackers = 24
            let left = Countdown(frames)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<attackers {
                    group.addTask {
                        var attacker = HostileClient(targets: targets, random: random.branch(index))
                        while left.take(500) {
                            try await attacker.send(frames: 500, to: relay)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

/// The number of frames left to send, shared by the clients.
private final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    /// Takes some frames. Returns `false` if none is left.
    func take(_ count: Int) -> Bool { left.subtract(count, ordering: .relaxed).oldValue > 0 }
}

/// Channels that hostile clients use, so that their frames are not refused for an unknown channel alone.
struct HostileTargets: Sendable {
    /// The hostile clients know the tokens of the first channel, and the ids of the others.
    let channels = (0..<8).map { _ in KnownChannel() }

    func create(at relay: RelayProcess) async throws {
        let client = try await relay.connect()
        for channel in channels { try await client.open(channel) }
    }
}

/// Sends frames that are valid but senseless, changed, cut, or noise.
struct HostileClient {
    let targets: HostileTargets
    var random: Seed
    private var wire: WireClient?

    init(targets: HostileTargets, random: Seed) {
        self.targets = targets
        self.random = random
    }

    /// Makes the relay judge this many frames. Each write ends with a frame that the relay always answers, so that no
    /// write runs ahead of the relay.
    mutating func send(frames: Int, to relay: RelayProcess) async throws {
        var left = frames
        while left > 0 {
            let wire = try await open(relay)
            var writer = WebSocketWriter()
            // The relay ignores input after an invalid frame. So such a frame comes last, and costs a connection.
            let endsBadly = chance(40)
            let count = min(left, 250)
            for _ in 0..<count { writer.write(mutated(frame()), mask: UInt32(truncatingIfNeeded: random.next())) }
            if endsBadly {
                wire.send(writer.bytes + noise())
                await wire.waitUntilClosed()
                self.wire = nil
            } else {
                let received = wire.framesReceived
                wire.send(writer.bytes)
                try await waitForAnswers(wire, received + count)
            }
            left -= count
        }
    }

    private func waitForAnswers(_ wire: WireClient, _ count: Int) async throws {
        try await eventually("the relay has answered \(count) frames") {
            wire.framesReceived >= count || !wire.channel.isActive
        }
    }

    private mutating func open(_ relay: RelayProcess) async throws -> WireClient {
        if let wire, wire.channel.isActive { return wire }
        let wire = try await WireClient.open(to: relay.address)
        wire.discardFrames()
        if chance(2) {
            let channel = targets.channels[0]
            wire.send([
                ClientFrame(requestID: 1, request: .present(channel: channel.id, epoch: 0, tokens: channel.tokens))
            ])
        }
        self.wire = wire
        return wire
    }

    private mutating func chance(_ oneIn: Int) -> Bool { number(below: oneIn) == 0 }

    private mutating func number(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    // MARK: Frames

    /// A valid frame, with numbers from the ends of their ranges and other fields random or of another client.
    private mutating func frame() -> ClientFrame {
        let channel =
            chance(2) ? (targets.channels.randomElement(using: &random)?.id ?? .random()) : .random(using: &random)
        let token = chance(4) ? targets.channels[0].read : token()
        guard let name = Name("nobody") else { return ClientFrame(requestID: 0, request: .ping) }
        let payload = random.bytes(number(below: chance(50) ? 4000 : 60))[...]
        let access = Access(read: Grant(for: token), append: .nobody, turn: Grant(for: token))
        let request: Request =
            switch number(below: 14) {
            // A second hello ends the connection, so it is sent with the noise.
            case 0: .create(channel: targets.channels[1].id, access: access, retentionSeconds: .max)
            case 1: .present(channel: channel, epoch: number(), tokens: chance(8) ? [] : [token])
            case 2, 3: .append(channel: channel, epoch: number(), id: .random(using: &random), payload: payload)
            // A turn would move the channel away from the epoch that the others use. No client here has the right.
            case 4:
                .turn(
                    channel: targets.channels[1].id, epoch: number(), id: .random(using: &random), payload: payload,
                    nextAccess: access)
            case 5, 6: .follow(channel: channel, epoch: number(), fromSeq: number())
            case 7: .unfollow(channel: channel)
            case 8: .whisper(channel: channel, epoch: number(), payload: payload)
            case 9: .close(channel: targets.channels[1].id)
            case 10:
                .deposit(
                    channel: targets.channels[2].id, keyPackages: [KeyPackageBytes(payload)],
                    lastResort: chance(2) ? KeyPackageBytes([]) : nil)
            case 11: .withdraw(channel: channel)
            case 12: .lookup(name: name)
            default: .ping
            }
        return ClientFrame(requestID: UInt32(truncatingIfNeeded: random.next()), request: request)
    }

    private mutating func token() -> Token { Token(random.bytes(32)) ?? .random() }

    private mutating func number() -> UInt64 {
        switch number(below: 8) {
        case 0: .max
        case 1: .max - 1
        case 2: UInt64(Int64.max)
        case 3: UInt64(Int64.max) + 1
        case 4: random.next()
        case 5: 1
        default: 0
        }
    }

    /// Changes a byte, usually one that leaves the frame valid.
    private mutating func mutated(_ frame: ClientFrame) -> Raw {
        var bytes = frame.encoded
        guard chance(3), bytes.count > 5 else { return Raw(bytes: bytes) }
        let index = Int.random(in: 1..<bytes.count, using: &random)
        bytes[index] ^= UInt8(truncatingIfNeeded: random.next())
        return Raw(bytes: (try? ClientFrame(decoding: bytes)) == nil ? frame.encoded : bytes)
    }

    /// The last input of a connection: a cut frame, a changed frame, noise in a frame or noise instead of one.
    private mutating func noise() -> [UInt8] {
        var writer = WebSocketWriter()
        switch number(below: 5) {
        case 0:
            let bytes = frame().encoded
            writer.write(
                Raw(bytes: Array(bytes.dropLast(1 + Int.random(in: 0..<bytes.count, using: &random)))), mask: 5)
        case 1:
            writer.write(ClientFrame(requestID: 1, request: .hello(versions: [1], relayPass: nil)), mask: 5)
        case 2:
            writer.write(Raw(bytes: [0] + random.bytes(40)), mask: 5)
        case 3:
            return [0xf0] + random.bytes(30)
        default:
            writer.write(Raw(bytes: frame().encoded + [0]), mask: 5)
        }
        return writer.bytes
    }
}

/// Bytes instead of a frame.
struct Raw: TLSEncodable {
    let bytes: [UInt8]
    func encode(into writer: inout TLSWriter) { writer.writeBytes(bytes) }
}

/// An honest client that uses the relay during the attack.
final class HonestClient: Sendable {
    struct Report: CustomStringConvertible {
        var answered = 0
        var refused = 0
        var longest = Duration.zero
        var description: String { "\(answered) answered, \(refused) refused, the longest took \(longest)" }
    }

    private let task: Task<Report, any Error>
    private let isStopping: Flag

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }

    private init(task: Task<Report, any Error>, isStopping: Flag) {
        self.task = task
        self.isStopping = isStopping
    }

    /// Connects, creates a channel, follows it, and appends every few milliseconds.
    static func start(at relay: RelayProcess, pass: RelayPass? = nil) async throws -> HonestClient {
        let client = try await relay.connect(pass: pass)
        let channel = KnownChannel()
        try await client.open(channel)
        let follow = try await client.follow(channel.id, epoch: 0, fromSeq: 1)
        let flag = Flag()
        let task = Task {
            var report = Report()
            var iterator = follow.makeAsyncIterator()
            var seen: UInt64 = 0
            while !flag.isSet {
                let start = ContinuousClock.now
                let seq = try await client.append([1, 2, 3], to: channel)
                while seen < seq, let event = try await iterator.next() {
                    if case .entries(let entries) = event { seen = entries.last?.seq ?? seen }
                }
                _ = try await client.request(.ping)
                report.answered += 3
                report.longest = max(report.longest, ContinuousClock.now - start)
                // Only limits the load. Nothing waits for the end of the pause.
                try await Task.sleep(for: .milliseconds(5))
            }
            await client.close()
            return report
        }
        return HonestClient(task: task, isStopping: flag)
    }

    /// Stops and returns the result. Throws the error of any request.
    func stop() async throws -> Report {
        isStopping.set()
        return try await task.value
    }
}
