import KithWire

/// The encoded frames of a broadcast. The frames are encoded once, for the first follower. All later followers get the frames
/// that were encoded for the first follower.
final class FrameCache {
    private let broadcast: RoundOutput.Broadcast
    private var encoded: [[UInt8]]?

    init(_ broadcast: RoundOutput.Broadcast) { self.broadcast = broadcast }

    /// Maximum number of bytes that the broadcast adds to the output of one follower. If the backlog of a connection cannot hold
    /// these bytes, the connection later reads the entries from the store.
    private(set) lazy var size: Int = {
        guard case .entries(let entries) = broadcast.content else { return 0 }
        return entries.reduce(0) { $0 + $1.maximumEncodedSize }
    }()

    /// Whether several followers share the encoding.
    var isShared: Bool { broadcast.followers.count > 1 }

    var frames: [[UInt8]] {
        if let encoded { return encoded }
        let frames: [[UInt8]]
        switch broadcast.content {
        case .entries(let entries):
            frames = entries[...].chunkedForFrames.map { chunk in
                RelayFrame(requestID: 0, reply: .entries(channel: broadcast.channel, entries: Array(chunk))).encoded
            }
        case .whisper(let epoch, let payload):
            let reply = Reply.whispered(channel: broadcast.channel, epoch: epoch, payload: payload)
            frames = [RelayFrame(requestID: 0, reply: reply).encoded]
        case .advanced, .gone:
            frames = []
        }
        encoded = frames
        return frames
    }
}

extension ArraySlice<Entry> {
    /// The entries in pieces. Each piece fits into one frame.
    var chunkedForFrames: [ArraySlice<Entry>] {
        let limit = WireLimits.frame / 2
        var chunks: [ArraySlice<Entry>] = []
        var start = startIndex
        var size = 0
        for index in indices {
            let entrySize = self[index].maximumEncodedSize
            if index > start && (size + entrySize > limit || index - start >= WireLimits.entriesPerFrame) {
                chunks.append(self[start..<index])
                start = index
                size = 0
            }
            size += entrySize
        }
        if start < endIndex { chunks.append(self[start..<endIndex]) }
        return chunks
    }
}
