import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// Puts the throughput load on a relay that is running already: for profilers.
struct Drive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put the throughput load on a relay that is running already, for profiling it.")

    @Option var port: Int
    @Option var pairs = 50
    @Option var inFlight = 100
    @Option var payload = 200
    @Option var seconds = 5.0

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let load = LoadLoop(group.next())
        let endpoint = Endpoint(port: port)
        let size = payload
        for _ in 0..<pairs {
            let channel = LoadChannel()
            for role in [LoadRole.receiver, .sender(inFlight: inFlight)] {
                try await load.connect(to: endpoint) {
                    KithLoad(role, channel: channel, payloadSize: size, tally: $0)
                }
            }
        }
        await load.start()
        let before = await load.read()
        try await Task.sleep(for: .seconds(seconds))
        let after = await load.read()
        await load.stop()
        let elapsed = Double((after.at - before.at).nanoseconds) / 1e9
        print("delivered \(Int(Double(after.delivered - before.delivered) / elapsed))/s")
        print("acknowledged \(Int(Double(after.acknowledged - before.acknowledged) / elapsed))/s")
        await load.closeAll()
        try await group.shutdownGracefully()
    }
}
