import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// Puts the throughput load on a relay that is already running, so that a profiler can measure the relay, or a person can watch
/// the relay's memory under attack.
struct Drive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put the throughput load on a relay that is running already, for profiling it.")

    @Option var port: Int
    @Option var pairs = 50
    @Option var inFlight = 100
    @Option var payload = 200
    @Option var seconds = 5.0
    @Flag(help: "All pairs share one channel, which has one follower.") var oneChannel = false
    @Option(help: "Messages per second, from all senders together. Default: as many as the relay takes.") var rate: Int?

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let load = LoadLoop(group.next())
        let endpoint = Endpoint(port: port)
        let size = payload
        let shared = LoadChannel()
        for pair in 0..<pairs {
            let channel = oneChannel ? shared : LoadChannel()
            let roles = oneChannel && pair > 0 ? [] : [LoadRole.receiver]
            for role in roles + [.sender(inFlight: inFlight)] {
                try await load.connect(to: endpoint) {
                    KithLoad(role, channel: channel, payloadSize: size, tally: $0)
                }
            }
        }
        if rate == nil { await load.start() }
        let before = await load.read()
        let end = NIODeadline.now() + .nanoseconds(Int64(seconds * 1e9))
        while NIODeadline.now() < end {
            if let rate { await load.allow(rate / 100) }
            try await Task.sleep(for: .milliseconds(10))
        }
        let after = await load.read()
        await load.stop()
        let elapsed = Double((after.at - before.at).nanoseconds) / 1e9
        print("delivered \(Int(Double(after.delivered - before.delivered) / elapsed))/s")
        print("acknowledged \(Int(Double(after.acknowledged - before.acknowledged) / elapsed))/s")
        await load.closeAll()
        try await group.shutdownGracefully()
    }
}
