import KithWire

/// The first entry that a follow brings, and the last that was there when it began.
struct FollowBounds: Sendable {
    let firstSeq: UInt64
    let lastSeq: UInt64
}

/// The entries of one epoch of a channel: first the ones that are there already, then new ones.
///
/// Ends after `epochEnded`, throws if the relay or the connection ends it, and ends without an error when the reading task is
/// cancelled. It has one reader. A slow reader holds up the whole connection once ``ClientLimits/unreadBytes`` wait, so a
/// reader does not wait for an answer on the same connection. The follow ends when the last copy of this value goes.
package struct RelayFollow: AsyncSequence, Sendable {
    /// Entries, whispers, or the epoch's end.
    package typealias Element = FollowEvent

    /// The seq of the first entry that the follow brings, whenever it comes.
    package let firstSeq: UInt64
    /// The seq of the last entry that was there when the follow began. Less than ``firstSeq`` if there was none.
    package let lastSeq: UInt64
    let handle: Handle

    /// Ends the follow. Events that have arrived can still be taken.
    package func cancel() { handle.leave() }

    /// The reader's place; all iterators of a follow share it.
    package func makeAsyncIterator() -> Iterator { Iterator(handle: handle, events: handle.queue.makeIterator()) }

    /// Takes one event after the other.
    package struct Iterator: AsyncIteratorProtocol {
        let handle: Handle
        var events: FollowQueue.Iterator

        /// The next event, or `nil` at the end.
        ///
        /// - Throws: ``RelayConnectionError``: why the follow ended.
        package mutating func next() async throws(RelayConnectionError) -> FollowEvent? {
            try await events.next()
        }

        /// The next event, or `nil` at the end.
        package mutating func next(isolation actor: isolated (any Actor)?) async throws(RelayConnectionError)
            -> FollowEvent?
        {
            try await events.next(isolation: actor)
        }
    }

    /// Ends the follow when nobody holds it any more.
    final class Handle: Sendable {
        private let id: FollowID
        let queue: FollowQueue
        private let connection: ConnectionCore

        init(id: FollowID, queue: FollowQueue, connection: ConnectionCore) {
            self.id = id
            self.queue = queue
            self.connection = connection
        }

        deinit {
            leave()
            queue.abandon()
        }

        func leave() {
            queue.finish(nil)
            connection.driver.leave(id)
        }
    }
}
