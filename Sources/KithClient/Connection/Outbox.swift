import KithWire
import Synchronization

/// What is to be done on a connection's event loop, gathered from any thread: everything that was put in since the loop
/// last looked goes out in one write.
final class Outbox: Sendable {
    enum Item: Sendable {
        case request(Request, RequestTicket)
        case follow(FollowID, channel: ChannelID, epoch: UInt64, fromSeq: UInt64, FollowBuffer)
        case resume(FollowID)
        case leave(FollowID)
        case close
    }

    private struct State {
        var items: [Item] = []
        var isScheduled = false
        var end: RelayConnectionError?
    }

    private let state = Mutex(State())

    /// Adds an item. Returns whether the loop has to be told; if the connection is over, the item fails right here.
    func put(_ item: Item) -> Bool {
        let (tellLoop, end) = state.withLock { state -> (Bool, RelayConnectionError?) in
            if let end = state.end { return (false, end) }
            state.items.append(item)
            defer { state.isScheduled = true }
            return (!state.isScheduled, nil)
        }
        if let end { Self.fail(item, end) }
        return tellLoop
    }

    /// Takes all items out, into an array whose storage is used again and again.
    func take(into items: inout [Item]) {
        items.removeAll(keepingCapacity: true)
        state.withLock { state in
            swap(&items, &state.items)
            state.isScheduled = false
        }
    }

    /// The connection is over: everything in here fails, and everything that comes.
    func end(_ error: RelayConnectionError) {
        let items = state.withLock { state in
            if state.end == nil { state.end = error }
            defer { state.items = [] }
            return state.items
        }
        for item in items { Self.fail(item, error) }
    }

    private static func fail(_ item: Item, _ error: RelayConnectionError) {
        switch item {
        case .request(_, let completion): completion(.failure(error))
        case .follow(_, _, _, _, let buffer): buffer.end(error)
        case .resume, .leave, .close: break
        }
    }
}

/// Who waits for the answer to a request.
typealias RequestTicket = @Sendable (Result<Reply, RelayConnectionError>) -> Void
