import KithWire
import MLS

/// An input of a conversation.
enum ConversationInput {
    // MARK: From relays

    /// A relay of the profile is connected. The relay need not be the conversation's relay.
    case connected(RelayID)
    case disconnected(RelayID)
    case answered(ConversationRequest, Result<Reply, RelayError>)
    case followStarted(UInt64, FollowPlace)
    case followed(UInt64, epoch: UInt64, FollowEvent)
    case followRefused(UInt64, RelayError)
    /// The commit for which the log waits has arrived.
    case commitFetched([UInt8])
    case commitLost(RelayError.Code)
    /// The state of a delivery has changed.
    case delivery(DeliveryQueue.Event)
    case tick

    // MARK: From the user

    /// Begins the conversation with a group that has only this device, and adds people to the group. The command ends when all
    /// of them have been added and their Welcomes have been delivered.
    case begin(Group, adding: [AddTarget], Ticket<ConversationID>?)
    /// Invites the other person again, because that person could not be reached.
    case inviteAgain(AddTarget, Ticket<ConversationID>)
    /// Accepts a pending conversation. The input ``open(_:)`` has to follow.
    case accept
    /// Makes a change of the group. The command ends when the change is in the log. The command for an addition ends later, when
    /// the Welcomes have been delivered.
    case change(Intent.Change, Ticket<ConversationID>?)
    /// Ends the commands that wait for changes. The changes themselves stay pending.
    case finishWaiting
    case rename(String, Ticket<ConversationID>)
    /// Leaves at once, without telling the others.
    case abandon
    /// Separates the conversation from its contact, because the contact has another key now or was deleted. The value is the
    /// conversation's new title.
    case separate(as: String)
    case list(ListingChange)
    /// Forgets the message at a seq, because the user has deleted it on this device.
    case forgetMessage(UInt64, wasUnread: Bool)
    /// Deletes the conversation, which has ended.
    case erase
    case send(OutgoingMessage, Ticket<EntryID>?)
    /// Adds a private request to the outbox.
    case enqueue(OutboxItem)
    /// Sends a message that no longer waits for uploads: all of its files are at the relay, or all were left out and only the
    /// caption remains.
    case sendFiles(OutboxItem)
    case markRead(through: UInt64, sendsReceipt: Bool)
    case trustLog(Ticket<ConversationID>)
    /// Begins a live check.
    case checkPresence
    /// Tells the members who are online that the user is typing.
    case tellTyping

    // MARK: From other machines of the profile

    /// Follows the log, if the relay is connected, and reports the conversation. With a warning, first reports the warning;
    /// from then on, nothing is sent until the user decides to continue.
    case open(Warning? = nil)
    /// Does the work that has become possible, for example because a group or an inbox has changed.
    case advance
    /// Sends the contact card later in this step, after an inbox for the card has been made.
    case scheduleCard
    /// Sends the contact card with the address of the card's inbox. If the address is `nil`, because there is no inbox, sends
    /// nothing.
    case sendCard(InboxAddress?)
    /// Leaves visibly, because the inviter used a single-use invite that another person had already used.
    case leaveUninvited
    case warn(Warning)
    /// The user has blocked a person, who may be the other person of this conversation, or a member.
    case didBlock
}

/// The position at which a follow begins.
struct FollowPlace {
    let epoch: UInt64
    /// The seq of the first entry that the follow delivers.
    let firstSeq: UInt64
    /// The seq of the last entry that the relay had when the follow began.
    let lastSeq: UInt64
}
