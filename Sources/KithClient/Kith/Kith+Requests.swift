import KithWire
import NIOCore

// Several processes of one user: one has the profile, the others leave with it what they want said.

/// How far a text that was handed over has come.
public enum HandedOver: Hashable, Sendable {
    /// The process that has the profile has not taken it; whoever opens the profile next will.
    case waiting
    /// It was taken: the message as it is now.
    case message(Message)
    /// It was taken, and can't be said there any more.
    case refused
}

extension Kith {
    // MARK: Asking

    /// Leaves a text for the process that has the profile open, which sends it. For profiles that were opened for reading.
    ///
    /// - Throws: ``KithError``, for the same reasons as ``send(_:to:replyTo:expiresAfter:)``. Nothing was left then.
    public func handOver(
        _ text: String, to conversation: ConversationID, replyTo: EntryID? = nil, expiresAfter: UInt32? = nil
    ) throws(KithError) -> Message {
        guard let vault = store as? VaultStore else { throw .inUse(pid: nil) }
        let place = try messenger.conversationForSending(text, conversation)
        let item = OutboxItem(
            entryID: .random(from: messenger.random), sentAt: Self.now, replyTo: replyTo, expiresAfter: expiresAfter,
            body: .content(.text(text)))
        guard let message = messenger.queuedMessage(item, in: place) else { throw .notFound("conversation") }
        let request = SendRequest(
            entryID: item.entryID, conversation: conversation, channel: place.record.channel, text: text,
            replyTo: replyTo, expiresAfter: expiresAfter)
        _ = try reading { () throws(StoreError) in try vault.handOver(request.encoded) }
        return message
    }

    /// How far a text that was handed over has come.
    public func progress(of message: Message) throws(KithError) -> HandedOver {
        // In the order that it takes, so that it can't slip through between two looks.
        for value in try reading({ () throws(StoreError) in try store.allValues(.request) }) {
            if (try? SendRequest(stored: value.bytes))?.entryID == message.id { return .waiting }
        }
        let owner = message.conversation.rawValue
        for value in try reading({ () throws(StoreError) in try store.values(.outbox, owner: owner) }) {
            if (try? OutboxItem(stored: value.bytes))?.entryID == message.id { return .message(message) }
        }
        let said = try messenger.recentMessage(message.id, in: message.conversation)
        return said.map(HandedOver.message) ?? .refused
    }

    // MARK: Taking

    /// How often to look whether another process has left something. It costs a counter's look.
    private static let pollInterval = TimeAmount.milliseconds(200)

    /// Takes what other processes have left, now and whenever they leave something.
    func watchRequests() {
        guard store is VaultStore else { return }
        takeRequests()
        let watch = loop.scheduleRepeatedTask(initialDelay: Self.pollInterval, delay: Self.pollInterval) {
            [weak self] task in
            guard let self else { return task.cancel() }
            self.assumeIsolated { $0.lookForRequests() }
        }
        requestWatch = watch
    }

    private func lookForRequests() {
        guard !isClosed, let vault = store as? VaultStore else { return }
        do throws(StoreError) {
            guard try vault.othersHaveWritten() else { return }
        } catch { return giveUp(.store(error)) }
        takeRequests()
    }

    private func takeRequests() {
        let requests: [StoredValue]
        do throws(StoreError) { requests = try store.allValues(.request) } catch { return giveUp(.store(error)) }
        for request in requests {
            lastCommand += 1
            mailbox.put(.command(CommandID(rawValue: lastCommand), .takeRequest(item: request.item, request.bytes)))
        }
        // At once: the next look must not find them again.
        drain()
    }
}
