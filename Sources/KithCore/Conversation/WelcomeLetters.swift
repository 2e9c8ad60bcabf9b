import KithWire
import MLS

/// The letters with a commit's Welcomes, for the inboxes of the people whom the commit adds.
struct WelcomeLetters {
    private let pending: PendingTurn
    private let welcome: Welcome
    /// The conversation's relay, which the letters name for the new members.
    private let relay: RelayPoint
    private let record: ConversationRecord
    private let firstLines: FirstLines
    /// The view at the start of the epoch that the commit opened.
    private let view: LogView

    /// Creates the letters of a commit; `nil` if the commit adds nobody.
    init?(_ pending: PendingTurn, _ record: ConversationRecord, _ outbox: Outbox, _ relays: RelayDirectory) {
        guard case .welcome(let welcome)? = pending.commit.welcome, let relay = relays[record.relay],
            let view = record.epochBegin
        else { return nil }
        firstLines = outbox.firstLines(timer: record.timer)
        (self.pending, self.welcome, self.relay, self.record, self.view) = (pending, welcome, relay, record, view)
    }

    /// Returns the delivery of one recipient's own Welcome; `nil` if the recipient has none.
    ///
    /// - Parameters:
    ///   - tree: the place of the group's tree.
    ///   - parcel: the number of the delivery that sends the tree in a parcel; `nil` if there is none. The Welcome is sent after
    ///     the parcel.
    func delivery(
        to recipient: PendingTurn.Recipient, _ tree: TreeSource, after parcel: UInt64?, of conversation: ConversationID,
        in device: inout DeviceState
    ) throws(KithError) -> ChannelDelivery? {
        let one = try callingMLS { () throws(MLSError) in try welcome.only(for: recipient.keyPackage) }
        guard let one else { return nil }
        let message = InboxMessage(
            relay: relay, title: record.title, isDirect: record.isDirect, welcome: MLSMessage.welcome(one).encoded,
            tree: tree, view: view, timer: record.timer, firstLines: firstLines)
        let inbox = recipient.inbox
        let letter = try callingMLS { () throws(MLSError) in
            try InboxLetter(message, to: recipient.keyPackage, channel: inbox.channel, random: device.random)
        }
        let sealed = inbox.sealKey.seal(
            letter.encoded, .message, channel: inbox.channel.bytes, random: device.random)
        guard let sealed else { return nil }
        return ChannelDelivery(
            relay: device.relays.id(for: inbox.relay, in: &device.step), channel: inbox.channel,
            appendToken: inbox.appendToken, access: nil,
            parts: [.init(id: .random(from: device.random), payload: sealed)], after: parcel,
            conversation: conversation, intent: pending.intent, account: inbox.account)
    }
}
