import KithWire
import MLS

/// An input of a conversation.
enum ConversationInput {
    // MARK: From relays

    /// A relay is connected: the conversation's, or another.
    case connected(RelayID)
    case disconnected(RelayID)
    case answered(ConversationRequest, Result<Reply, RelayError>)
    case followStarted(UInt64, FollowPlace)
    case followed(UInt64, epoch: UInt64, FollowEvent)
    case followRefused(UInt64, RelayError)
    /// The commit that the log waits for has arrived.
    case commitFetched([UInt8])
    case commitLost(RelayError.Code)
    /// The state of a delivery changed.
    case delivery(DeliveryQueue.Event)
    case tick

    // MARK: From the user

    /// Begins the conversation with a group of this device alone. The command ends when the people are added.
    case begin(Group, adding: [AddTarget], Ticket<ConversationID>)
    /// Invites the other person again, who could not be reached.
    case inviteAgain(AddTarget, Ticket<ConversationID>)
    /// Accepts a pending conversation. ``open`` has to follow.
    case accept
    /// Makes a change of the group. The command ends when the change is in the log; for an addition, when its Welcomes are
    /// delivered too.
    case change(Intent.Change, Ticket<ConversationID>)
    /// Ends the commands that wait for changes, before these are made.
    case finishWaiting
    case rename(String, Ticket<ConversationID>)
    /// Leaves at once, without telling the others.
    case abandon
    /// Separates the conversation from its contact, who has another key now. The name is the contact's.
    case keepOldKey(of: String)
    case send(OutgoingText, Ticket<EntryID>)
    case markRead(through: UInt64, sendsReceipt: Bool)
    case trustLog(Ticket<ConversationID>)
    /// Begins a live check.
    case checkPresence

    // MARK: From other machines of the profile

    /// Follows the log, if the relay is connected, and reports the conversation. With a warning, nothing is sent until the user
    /// wants to continue.
    case open(Warning? = nil)
    /// Does work that may have become possible.
    case advance
    /// Sends the contact card in this step, once an inbox was made for it.
    case scheduleCard
    /// Sends the contact card with the address of that inbox; `nil` if there is none.
    case sendCard(InboxAddress?)
    /// Leaves visibly, because the inviter used an invite that was for another person.
    case leaveUninvited
    case warn(Warning)
}

/// The place at which a follow begins.
struct FollowPlace {
    let epoch: UInt64
    /// The first entry that the follow will bring.
    let firstSeq: UInt64
    /// The last entry that was at the relay when the follow began.
    let lastSeq: UInt64
}
