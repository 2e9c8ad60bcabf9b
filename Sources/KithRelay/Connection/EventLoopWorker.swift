import KithWire
import NIOCore

/// The connections of one event loop. All functions run on that loop, unless the comment of a function names another thread.
final class EventLoopWorker: Sendable {
    let index: Int
    let eventLoop: any EventLoop
    let shared: Shared
    private let state: NIOLoopBoundBox<State>

    /// The objects that all workers of a relay share.
    struct Shared: Sendable {
        let limits: RelayLimits
        let metrics: RelayMetrics
        let store: any ChannelStore
        let addresses: AddressTable
        var blobs: BlobService?
        /// Slots for connections that transfer blobs.
        let transfers = SlotPool(BlobLimits.transfers)
    }

    private struct State {
        var connections: [ConnectionNumber: Connection] = [:]
        /// Number of store reads under way for the connections of this event loop.
        var reads = 0
        var waiting = CircularBuffer<CatchUpRead>()
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

    /// Closes connections that have been silent for too long. One timer serves all connections of the loop.
    func closeSilent(now: NIODeadline, sweepMs: Int) {
        for connection in Array(state.value.connections.values) {
            connection.closeIfSilent(now: now, sweepMs: sweepMs)
        }
    }

    /// Closes all connections because the relay shuts down.
    func closeAll() {
        for connection in Array(state.value.connections.values) { connection.goAway() }
    }

    // MARK: Output of the hub

    /// Passes a round's whole output to this loop with one change of thread. Called on the hub's thread.
    func deliver(_ batch: RoundOutput) {
        eventLoop.execute { self.distribute(batch) }
    }

    private func distribute(_ batch: RoundOutput) {
        let connections = state.value.connections
        var connectionsWithOutput: [Connection] = []
        for answer in batch.answers {
            guard let connection = connections[answer.connection] else { continue }
            if connection.answer(answer) { connectionsWithOutput.append(connection) }
        }
        for broadcast in batch.broadcasts {
            let frames = FrameCache(broadcast)
            for number in broadcast.followers {
                guard let connection = connections[number] else { continue }
                if connection.take(broadcast, frames) { connectionsWithOutput.append(connection) }
            }
        }
        for connection in connectionsWithOutput { connection.flush() }
    }

    // MARK: Reading the store for followers

    func enqueue(_ catchUp: CatchUpRead) {
        guard state.value.reads < shared.limits.catchUpsUnderWay else {
            state.value.waiting.append(catchUp)
            return
        }
        start(catchUp)
    }

    private func start(_ catchUp: CatchUpRead) {
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

    private func finish(_ catchUp: CatchUpRead, _ result: Result<[Entry], StoreFailure>) {
        state.value.reads -= 1
        state.value.connections[catchUp.connection]?.take(result, for: catchUp)
        if let next = state.value.waiting.popFirst() { start(next) }
    }
}

/// A read of the store for one follower.
struct CatchUpRead {
    let connection: ConnectionNumber
    let requestID: UInt32
    let channel: ChannelID
    let first: UInt64
    let last: UInt64
}
