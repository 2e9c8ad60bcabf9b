import KithWire

/// The messages of a profile's conversations after a cursor: first the stored messages, then new messages.
///
/// See ``Profile/incomingMessages(as:from:acceptsStrangers:)``.
public struct IncomingMessages: AsyncSequence, Sendable {
    /// A message that the program can acknowledge.
    public typealias Element = IncomingMessage
    /// The errors of the sequence.
    public typealias Failure = KithError

    let profile: Profile
    let name: String
    let start: CursorStart
    let acceptsStrangers: Bool

    /// Reads the messages one by one. The first read takes the cursor from its previous reader.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let messages: IncomingMessages
        private var reader: CursorReader?

        fileprivate init(_ messages: IncomingMessages) { self.messages = messages }

        /// Returns the next message. If no message is available, waits for a message. Returns `nil` after the profile was closed
        /// or the task was cancelled.
        public mutating func next() async throws(KithError) -> IncomingMessage? { try await next(isolation: nil) }

        /// Returns the next message. If no message is available, waits for a message. Returns `nil` after the profile was closed
        /// or the task was cancelled.
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

    /// Creates a reader.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

extension Profile {
    /// Returns the messages of other members for a program: first all messages since the cursor's last acknowledgement, then new
    /// messages. No message is left out, even if the program is slow or does not run for some time.
    ///
    /// The profile stores the cursor under its name. The cursor moves only when a message is acknowledged with
    /// ``IncomingMessage/acknowledge()`` or ``IncomingMessage/reply(_:expiresAfter:)``. Read marks and other cursors do not move
    /// this cursor. If a message was delivered without an acknowledgement, the next reader gets the message again, marked with
    /// ``IncomingMessage/isRepeated``.
    ///
    /// - The messages of a conversation are delivered in the order of its log. Conversations take turns.
    /// - The profile's own messages, all notices and expired texts are left out.
    /// - If a stranger began a conversation, its messages are delivered only after the conversation was accepted. After the
    ///   acceptance, the earlier messages of the conversation are delivered too.
    /// - Messages of ended conversations are delivered too, but a reply to them fails.
    /// - A cursor has one reader at a time. When a new reader begins, the sequence of the earlier reader throws
    ///   ``CursorError/takenOver(_:)``.
    ///
    /// The sequence ends when the profile is closed or the task is cancelled. If an error ended the profile, the sequence throws
    /// that error. The sequence may also throw ``KithError/cursor(_:)``.
    ///
    /// - Parameters:
    ///   - name: the cursor's name, a single line of at most ``ClientLimits/cursorName`` bytes.
    ///   - start: the place at which a new cursor begins.
    ///   - acceptsStrangers: whether the reader accepts conversations that strangers begin.
    public nonisolated func incomingMessages(
        as name: String, from start: CursorStart = .beginning, acceptsStrangers: Bool = false
    ) -> IncomingMessages {
        IncomingMessages(profile: self, name: name, start: start, acceptsStrangers: acceptsStrangers)
    }

    /// The names of all cursors in the profile.
    ///
    /// - Throws: ``KithError/store(_:)``.
    public func cursors() throws(KithError) -> [String] { try machine.cursorNames() }

    /// Deletes a cursor. A program that uses the name again gets a new cursor. If no cursor has the name, deletes all cursors
    /// with damaged names: one of them may have had this name.
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
                // If a conversation cannot be accepted, the sequence continues without it.
                if isClosed || failure != nil { throw error }
            }
        }
    }
}
