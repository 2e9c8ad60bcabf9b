import Glibc
import KithRelay
import KithWire
import NIOPosix

/// Appends to channels and prints the last seq of each channel after each commit, for a test that kills this process.
struct UntilKilled {
    let folder: String

    /// The channels are the same in every run: their ids are derived from their numbers.
    static func channel(_ number: UInt8) -> ChannelID? { ChannelID(Array(repeating: number, count: 32)) }

    func run() async throws {
        let store = try SQLiteStore(folder: folder, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        let channels = (1...20).compactMap { UntilKilled.channel($0) }
        var lastSeqs: [UInt64] = []
        _ = await store.commit(
            channels.map { .create(channel: $0, access: .nobody, retentionSeconds: 1_000_000, atMs: 0) })
        for channel in channels { lastSeqs.append(try await store.head(of: channel)?.lastSeq ?? 0) }
        while true {
            var mutations: [StoreMutation] = []
            for (index, channel) in channels.enumerated() {
                for _ in 0..<Int.random(in: 0...20) {
                    lastSeqs[index] += 1
                    mutations.append(
                        .append(
                            channel: channel,
                            entry: Entry(
                                seq: lastSeqs[index], epoch: 0, kind: .message, receivedAtMs: 1, id: .random(),
                                payload: Array(repeating: UInt8(index), count: 300)[...]),
                            nextAccess: nil))
                }
            }
            let outcomes = await store.commit(mutations)
            guard outcomes.allSatisfy({ $0 == .committed }) else { throw StoreFailure.io("an append was refused") }
            // This is one write, so a line is either complete or absent.
            let line = Array((lastSeqs.map { "\($0)" }.joined(separator: " ") + "\n").utf8)
            write(1, line, line.count)
        }
    }
}
