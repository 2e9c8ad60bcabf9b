import KithWire
import NIOCore

/// One event loop's connections. Everything here happens on that loop.
final class RelayLoop: Sendable {
    let index: Int
    let eventLoop: any EventLoop
    let shared: Shared
    private let state: NIOLoopBoundBox<State>

    /// What all loops of a relay share.
    struct Shared: Sendable {
        let limits: RelayLimits
        let metrics: RelayMetrics
        let store: any ChannelStore
        let addresses: AddressTable
    }

    private struct State {
        var connections: [ConnectionNumber: Connection] = [:]
        /// Store reads under way for followers of this loop, and those that wait for a place.
        var reads = 0
        var waiting = CircularBuffer<CatchUp>()
    }

    /// A read of the store for one follower.
    struct CatchUp {
        let connection: ConnectionNumber
        let requestID: UInt32
        let channel: ChannelID
        let first: UInt64
        let last: UInt64
    }

    init(index: Int, eventLoop: any EventLoop, shared: Shared) {
        self.index = index
        self.eventLoop = eventLoop
        self.shared = shared
        state = .makeBoxSendingValue(State(), eventLoop: eventLoop)
    }

    // MARK: Connections

    func add(_ connection: Connection) {
        state.value.connections[connection.number] = connection
        shared.metrics.connectionsOpen.count(1)
    }

    func remove(_ connection: Connection) {
        guard state.value.connections.removeValue(forKey: connection.number) != nil else { return }
        shared.metrics.connectionsOpen.count(-1)
    }

    /// Closes connections that have been silent too long: one timer for all of them instead of one each.
    func closeSilent(now: NIODeadline, sweepMs: Int) {
        for connection in Array(state.value.connections.values) {
            connection.closeIfSilent(now: now, sweepMs: sweepMs)
        }
    }

    /// Says goodbye to all connections.
    func closeAll() {
        for connection in Array(state.value.connections.values) { connection.goAway() }
    }

    // MARK: What the hub hands over

    /// Takes a round's output to this loop: one hop, whatever is in it.
    func deliver(_ batch: LoopBatch) {
        eventLoop.execute { self.distribute(batch) }
    }

    private func distribute(_ batch: LoopBatch) {
        let connections = state.value.connections
        var touched: [Connection] = []
        for answer in batch.answers {
            guard let connection = connections[answer.connection] else { continue }
            if connection.answer(answer) { touched.append(connection) }
        }
        for broadcast in batch.broadcasts {
            let frames = EncodedOnce(broadcast)
            for number in broadcast.followers {
                guard let connection = connections[number] else { continue }
                if connection.take(broadcast, frames) { touched.append(connection) }
            }
        }
        for connection in touched { connection.flush() }
    }

    // MARK: Reading the store for followers

    func enqueue(_ catchUp: CatchUp) {
        guard state.value.reads < shared.limits.catchUpsUnderWay else {
            state.value.waiting.append(catchUp)
            return
        }
        start(catchUp)
    }

    private func start(_ catchUp: CatchUp) {
        state.value.reads += 1
        let (store, bytes) = (shared.store, shared.limits.catchUpBytes)
        Task {
            let result: Result<[Entry], StoreFailure>
            do throws(StoreFailure) {
                result = .success(
                    try await store.entries(
                        of: catchUp.channel, from: catchUp.first, through: catchUp.last, maximumBytes: bytes))
            } catch {
                result = .failure(error)
            }
            eventLoop.execute { self.finish(catchUp, result) }
        }
    }

    private func finish(_ catchUp: CatchUp, _ result: Result<[Entry], StoreFailure>) {
        state.value.reads -= 1
        state.value.connections[catchUp.connection]?.take(result, for: catchUp)
        if let next = state.value.waiting.popFirst() { start(next) }
    }
}

/// A broadcast's frames, encoded when the first follower takes them and used for all.
final class EncodedOnce {
    private let broadcast: LoopBatch.Broadcast
    private var encoded: [[UInt8]]?

    init(_ broadcast: LoopBatch.Broadcast) { self.broadcast = broadcast }

    /// The bytes that it adds for each follower. What a round brought can be more than one may wait with: then it is read
    /// from the store as fast as the follower takes it.
    private(set) lazy var size: Int = {
        guard case .entries(let entries) = broadcast.content else { return 0 }
        return entries.reduce(0) { $0 + $1.maximumEncodedSize }
    }()

    /// One follower needs no shared encoding.
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
    /// Pieces that each fit into one frame.
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
