import ArgumentParser
import Foundation
import KithWire
import NIOCore
import NIOPosix

@main
struct RelayBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(subcommands: [Pairs.self])
}

/// Pairs of connections, one sending and one receiving, as fast as acknowledgements come.
struct Pairs: AsyncParsableCommand {
    @Option var port: Int
    @Option var pairs = 50
    @Option var inFlight = 100
    @Option var seconds = 5.0

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = try LoadClient(group: group, port: port)
        let loop = group.any()
        let tally = NIOLoopBoundBox.makeBoxSendingValue(Tally(), eventLoop: loop)
        let loads = NIOLoopBoundBox.makeBoxSendingValue([(KithLoad)](), eventLoop: loop)
        var channels: [any Channel] = []
        let inFlight = self.inFlight
        for _ in 0..<pairs {
            let channel = ChannelID.random()
            let token = Token.random()
            for role in [KithLoad.Role.receiver, .sender(inFlight: inFlight)] {
                let wanted = channels.count + 1
                channels.append(
                    try await client.connect {
                        let load = KithLoad(role: role, tally: tally.value, channel: channel, token: token)
                        loads.value.append(load)
                        return load
                    })
                while try await loop.submit({ tally.value.ready }).get() < wanted {
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
        }
        let bound = channels
        let start = NIODeadline.now()
        try await loop.submit {
            tally.value.isSending = true
            for (index, load) in loads.value.enumerated() {
                load.fill()
                if let handler = try? bound[index].pipeline.syncOperations.handler(type: LoadConnection.self) {
                    handler.push { load.takeOutput(&$0) }
                }
            }
        }.get()
        try await Task.sleep(for: .seconds(seconds))
        let (delivered, acknowledged) = try await loop.submit {
            tally.value.isSending = false
            return (tally.value.delivered, tally.value.acknowledged)
        }.get()
        let elapsed = Double((NIODeadline.now() - start).nanoseconds) / 1e9
        print("delivered \(Int(Double(delivered) / elapsed))/s, acknowledged \(Int(Double(acknowledged) / elapsed))/s")
        try await Task.sleep(for: .milliseconds(500))
        let (d, a) = try await loop.submit { (tally.value.delivered, tally.value.acknowledged) }.get()
        print("after draining: delivered \(d), acknowledged \(a)")
        for channel in channels { try? await channel.close() }
        try await group.shutdownGracefully()
    }
}
