import KithWire

/// The messages of a profile's conversations after a cursor: first the stored ones, then new ones.
///
/// See ``Profile/incomingMessages(as:from:acceptsStrangers:)``.
public struct IncomingMessages: AsyncSequence, Sendable {
    /// A message with its acknowledgement.
    public typealias Element = IncomingMessage
    /// The sequence's errors.
    public typealias Failure = KithError

    let profile: Profile
    let name: String
    let start: CursorStart
    let acceptsStrangers: Bool

    /// Reads the messages one by one. The first read takes the cursor over.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let messages: IncomingMessages
        private var reader: CursorReader?

        fileprivate init(_ messages: IncomingMessages) { self.messages = messages }

        /// Returns the next message, and waits for one if there is none; `nil` once the profile is closed or the task is
        /// cancelled.
        public mutating func next() async throws(KithError) -> IncomingMessage? { try await next(isolation: nil) }

        /// Returns the next message, and waits for one if there is none; `nil` once the profile is closed or the task is
        /// cancelled.
        public mutating func next(
            isolation: isolated (any Actor)?
        ) async throws(KithError) -> IncomingMessage? {
            do throws(KithError) {
                let reader =
                    if let reader { reader } else {
                        try await messages.profile.perform(.openCursor(messages.name, from: messages.start))
                    }
                self.reader = reader
                return try await messages.profile.next(for: reader, acceptsStrangers: messages.acceptsStrangers)
            } catch {
                if error == .closed { return nil }
                throw error
            }
        }
    }

    /// Makes a reader.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

extension Profile {
    /// The messages of other members, for a program: first all since the cursor's last acknowledgement, then new ones. None is
    /// left out, even if the program is slow or does not run for a while.
    ///
    /// The cursor is stored in the profile under its name. It moves only when a message is acknowledged, by
    /// ``IncomingMessage/acknowledge()`` or ``IncomingMessage/reply(_:expiresAfter:)``. Read marks and other cursors make no
    /// difference. Messages that were delivered and not acknowledged come again to the next reader, marked as
    /// ``IncomingMessage/isRepeated``.
    ///
    /// - Within a conversation, messages come in the order of its log. Conversations take turns.
    /// - Leaves out the profile's own messages, all notices, and expired texts.
    /// - A conversation that a stranger began is left out until it is accepted. Then all its messages come.
    /// - Messages of ended conversations come, too. A reply to them fails.
    /// - One reader uses a cursor at a time: when another begins, the sequence of the earlier one throws
    ///   ``CursorError/takenOver(_:)``.
    ///
    /// The sequence ends when the profile is closed or the task is cancelled. It throws the error that ended the profile, if
    /// any, and ``KithError/cursor(_:)``.
    ///
    /// - Parameters:
    ///   - name: the cursor's name: one line of at most ``ClientLimits/cursorName`` bytes.
    ///   - start: the first message of a new cursor.
    ///   - acceptsStrangers: whether conversations that strangers begin are accepted while the sequence is read.
    public nonisolated func incomingMessages(
        as name: String, from start: CursorStart = .beginning, acceptsStrangers: Bool = false
    ) -> IncomingMessages {
        IncomingMessages(profile: self, name: name, start: start, acceptsStrangers: acceptsStrangers)
    }

    /// The names of the cursors that programs use.
    ///
    /// - Throws: ``KithError/store(_:)``.
    public func cursors() throws(KithError) -> [String] { try machine.cursorNames() }

    /// Deletes a cursor. A program that uses the name again begins anew. If no cursor has the name, cursors with damaged names
    /// are deleted.
    ///
    /// - Throws: ``KithError/notFound(_:)``.
    public func deleteCursor(_ name: String) async throws(KithError) { try await perform(.deleteCursor(name)) }

    func next(for reader: CursorReader, acceptsStrangers: Bool) async throws(KithError) -> IncomingMessage? {
        while !Task.isCancelled {
            let seen = arrivals.count
            if acceptsStrangers { try await acceptPending() }
            switch try await perform(.nextIncoming(reader)) {
            case .message(let entry): return IncomingMessage(entry, of: self)
            case .unfinished: continue
            case .none: await arrivals.wait(after: seen)
            }
        }
        return nil
    }

    private func acceptPending() async throws(KithError) {
        for id in machine.pendingConversations {
            do throws(KithError) { try await accept(id) } catch {
                // A conversation that can't be accepted does not end the sequence.
                if isClosed || failure != nil { throw error }
            }
        }
    }
}
