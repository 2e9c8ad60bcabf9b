import KithWire

/// Where a follow begins.
struct FollowStart: Sendable {
    let firstSeq: UInt64
    let lastSeq: UInt64
}

/// The entries of one epoch of a channel, as they come: first the ones that are there already, then live ones.
///
/// Ends after `epochEnded`, throws what ended it otherwise, and ends quietly when the consuming task is cancelled. Meant for
/// one consumer. A consumer may be as slow as it likes: what it does not take is left at the relay. The relay is asked to
/// stop when the last copy of this value goes.
package struct RelayFollow: AsyncSequence, Sendable {
    /// Entries, whispers, or the epoch's end.
    package typealias Element = FollowEvent

    /// The first entry that will be brought, whenever it comes.
    package let firstSeq: UInt64
    /// Entries up to this one were there already when the follow began. Less than ``firstSeq`` if there were none.
    package let lastSeq: UInt64
    let handle: Handle

    /// Ends the follow. What was brought already can still be taken.
    package func cancel() { handle.leave() }

    /// One consumer's place; all iterators of a follow share it.
    package func makeAsyncIterator() -> Iterator { Iterator(handle: handle) }

    /// Takes one event after the other.
    package struct Iterator: AsyncIteratorProtocol {
        let handle: Handle

        /// The next event, or `nil` at the end.
        ///
        /// - Throws: ``RelayConnectionError``: why the follow is over.
        package mutating func next() async throws(RelayConnectionError) -> FollowEvent? {
            try await handle.next()
        }

        /// The next event, or `nil` at the end.
        package mutating func next(isolation actor: isolated (any Actor)?) async throws(RelayConnectionError)
            -> FollowEvent?
        {
            try await handle.next()
        }
    }

    /// Leaves the follow when nobody holds it any more.
    final class Handle: Sendable {
        let id: FollowID
        let buffer: FollowBuffer
        let connection: ConnectionCore

        init(id: FollowID, buffer: FollowBuffer, connection: ConnectionCore) {
            self.id = id
            self.buffer = buffer
            self.connection = connection
        }

        deinit {
            connection.put(.leave(id))
            buffer.abandon()
        }

        func next() async throws(RelayConnectionError) -> FollowEvent? {
            try await buffer.next { connection.put(.resume(id)) }
        }

        func leave() { connection.put(.leave(id)) }
    }
}
