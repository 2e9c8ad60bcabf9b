import KithWire

/// The seq of a follow's first entry, and the seq of the last entry that existed when the follow began.
struct FollowBounds: Sendable {
    let firstSeq: UInt64
    let lastSeq: UInt64
}

/// The entries of one epoch of a channel: first the existing entries, then new entries.
///
/// The sequence ends after `epochEnded`. If the relay or the connection ends the follow, the sequence throws an error. If the
/// reading task is cancelled, the sequence ends without an error. Only one reader may read the sequence.
///
/// If the reader is slow, the whole connection stops reading when ``ClientLimits/unreadBytes`` are waiting. Then no answers
/// arrive either. So a reader of the follow must not wait for the answer to a request on the same connection. The follow ends
/// when the last copy of this value is released.
package struct RelayFollow: AsyncSequence, Sendable {
    /// An entry, a whisper, or the end of the epoch.
    package typealias Element = FollowEvent

    /// The seq of the follow's first entry, even if that entry does not exist yet.
    package let firstSeq: UInt64
    /// The seq of the last entry that existed when the follow began. If no entry existed, this seq is less than ``firstSeq``.
    package let lastSeq: UInt64
    let handle: Handle

    /// Ends the follow. Events that have already arrived can still be read.
    package func cancel() { handle.leave() }

    /// Returns an iterator. All iterators of a follow share one position.
    package func makeAsyncIterator() -> Iterator { Iterator(handle: handle, events: handle.queue.makeIterator()) }

    /// Reads the events one by one.
    package struct Iterator: AsyncIteratorProtocol {
        let handle: Handle
        var events: FollowQueue.Iterator

        /// Returns the next event, or `nil` at the end.
        ///
        /// - Throws: ``RelayConnectionError``, the reason for the end of the follow.
        package mutating func next() async throws(RelayConnectionError) -> FollowEvent? {
            try await events.next()
        }

        /// Returns the next event, or `nil` at the end.
        package mutating func next(isolation actor: isolated (any Actor)?) async throws(RelayConnectionError)
            -> FollowEvent?
        {
            try await events.next(isolation: actor)
        }
    }

    /// Ends the follow when nothing refers to the handle any more.
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
