import KithWire
import MLS

/// The progress of a text that was handed over.
package enum HandedOver: Hashable, Sendable {
    /// The process that has the profile has not taken it; whoever opens the profile next will.
    case waiting
    /// It was taken: the message as it is now.
    case message(Message)
    /// It was taken, and can't be said there any more.
    case refused
}

// Texts that a process which has the profile for reading only leaves for the one that sends.

extension Messenger {
    /// A text to be left for another process: the message as it will be, and the request's value.
    ///
    /// - Parameter now: the device's clock, in milliseconds since 1970.
    package func handedOver(
        _ text: String, to id: ConversationID, replyTo: EntryID?, expiresAfter: UInt32?, now: UInt64
    ) throws(KithError) -> (message: Message, request: [UInt8]) {
        let conversation = try conversationForSending(text, id)
        let item = OutboxItem(
            entryID: .random(from: random), sentAt: now, replyTo: replyTo, expiresAfter: expiresAfter,
            body: .content(.text(text)))
        guard let message = queuedMessage(item, in: conversation) else { throw .notFound("conversation") }
        let request = SendRequest(
            entryID: item.entryID, conversation: id, channel: conversation.record.channel, text: text,
            replyTo: replyTo, expiresAfter: expiresAfter)
        return (message, request.encoded)
    }

    /// The progress of such a text, by what the store holds now.
    package func progress(of message: Message) throws(KithError) -> HandedOver {
        // In the order that it takes, so that it can't slip through between two looks.
        for value in try reading({ () throws(StoreError) in try store.allValues(.request) }) {
            if (try? SendRequest(stored: value.bytes))?.entryID == message.id { return .waiting }
        }
        let owner = message.conversation.rawValue
        for value in try reading({ () throws(StoreError) in try store.values(.outbox, owner: owner) }) {
            if (try? OutboxItem(stored: value.bytes))?.entryID == message.id { return .message(message) }
        }
        let said = try recentMessage(message.id, in: message.conversation)
        return said.map(HandedOver.message) ?? .refused
    }
}
