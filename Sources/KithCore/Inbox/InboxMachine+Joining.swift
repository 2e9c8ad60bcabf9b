import KithWire
import MLS

/// A letter that was opened with a key package of this device.
struct OpenLetter {
    /// The inbox's entry that contains the letter.
    let entry: Entry
    let letter: InboxLetter
    let message: InboxMessage
    let welcome: Welcome
    let bundle: KeyPackageBundle
    /// The key package's number in its inbox.
    let number: UInt64
}

// Makes a conversation from a Welcome.

extension InboxMachine {
    /// Joins a group with the Welcome in a letter, unless the Welcome is not authentic or ``judge(_:_:in:)`` decides against
    /// joining.
    ///
    /// - Parameter tree: the group's tree, if it was in a parcel.
    mutating func join(
        _ letter: OpenLetter, tree: [UInt8]?, in profile: inout ProfileState
    ) throws(KithError) -> Taken {
        // The decision is made before joining, because joining takes time and memory in proportion to the size of the group.
        guard let invitation = Invitation(letter, tree: tree, in: profile.device.environment) else { return .done }
        let old = profile.conversations.id(on: invitation.channel).flatMap { profile.conversations[$0] }
        switch judge(invitation, old?.machine, in: &profile) {
        case .decided(let taken): return taken
        case .mayJoin(let isUninvited, let isPending):
            let group: Group
            do throws(MLSError) {
                group = try Group(joining: invitation.opened, in: profile.device.environment)
            } catch { return .done }
            if let old {
                let mayBringBack = try old.mayBeBroughtBack(
                    by: invitation.inviter, into: group, in: &profile.device)
                guard mayBringBack else { return .done }
            }
            forgetKeyPackage(of: letter, in: &profile.device.step)
            let people = meet(group, invitation, isPending: isPending, isUninvited: isUninvited, in: &profile.device)
            let request =
                isPending ? ContactRequest(inviter: people.contacts.first, firstLines: letter.message.firstLines) : nil
            let conversation = old ?? newConversation(for: group, invitation, request: request, in: &profile)
            let difference = try conversation.join(
                group, by: letter.message, isBack: old != nil, people, in: &profile.device)
            try sendWaitingText(in: conversation, with: people, in: &profile.device)
            record.didTake(letter.letter, in: letter.entry.id, conversation.machine.id)
            try answer(conversation, isUninvited: isUninvited, in: &profile.device)
            try conversation.handle(.open(difference), in: &profile.device)
            return .done
        }
    }

    /// Sends the text of the user's private request to the contact as a message, now that the contact has begun a conversation
    /// of two.
    private func sendWaitingText(
        in conversation: ConversationTable.Place, with people: MetMembers, in device: inout DeviceState
    ) throws(KithError) {
        guard people.isDirect, conversation.machine.mayAct, let contact = people.contacts.first,
            let text = device.contacts[contact]?.waitingText
        else { return }
        device.contacts.setWaiting(nil, for: contact, in: &device.step)
        let message = OutgoingMessage(id: .random(from: device.random), .text(MessageText(text)))
        try conversation.handle(.send(message, nil), in: &device)
    }

    private enum Judgement {
        case decided(Taken)
        /// - Parameters:
        ///   - isUninvited: `true` if the invite admits only one person, and another person has already used it.
        ///   - isPending: whether the user has to accept the conversation.
        case mayJoin(isUninvited: Bool, isPending: Bool)
    }

    /// Decides about an invitation with the facts that are known before joining the group.
    ///
    /// - Parameter old: the known conversation on the invitation's channel; `nil` if there is none.
    private func judge(
        _ invitation: Invitation, _ old: ConversationMachine?, in profile: inout ProfileState
    ) -> Judgement {
        if profile.device.contacts.hasBlocked(invitation.inviter) { return .decided(.done) }
        let message = invitation.letter.message
        let known = profile.device.contacts.acquaintance(invitation.inviter)
        if known == nil, !record.purpose.isForOne, profile.device.relays.known(message.relay) == nil {
            profile.device.didPassOverInvitation(to: message.relay.address)
            return .decided(.done)
        }
        let opened = invitation.opened
        if known == nil, !record.purpose.isForOne,
            !JoinPolicy.isSmallEnoughForStrangers(members: opened.memberCount, leaves: opened.leafCount)
        {
            return .decided(.done)
        }
        // The invite was for one person, and another person has already used it.
        let isUninvited = record.isUsed && (known.map { wasDeclined($0, in: profile.conversations) } ?? true)
        // Joining a group would add its members as contacts, and each of them could then use the invite too.
        if isUninvited, !message.isDirect || opened.memberCount > 2 { return .decided(.done) }
        if isUninvited, record.taken.count > ClientLimits.lettersDeclined { return .decided(.done) }
        if let old, let wait = logWait(old, before: opened.epoch, invitation.letter.entry.seq, in: profile) {
            return .decided(.aside(.log(wait)))
        }
        if let old {
            let relay = profile.device.relays[old.record.relay]
            guard JoinPolicy.mayRejoin(old.record, at: relay, epoch: opened.epoch, through: message.relay) else {
                return .decided(.done)
            }
        }
        let isStrangers = !record.purpose.isForOne && known == nil
        let isPending = old.map { !$0.mayAct } ?? isStrangers
        if isPending, old == nil, !profile.hasRoomForRequest {
            return .decided(profile.device.leaveForLater())
        }
        return .mayJoin(isUninvited: isUninvited, isPending: isPending)
    }

    /// Whether a contact has sent an earlier letter to this inbox, and this device has left the resulting conversation.
    private func wasDeclined(_ contact: ContactID, in conversations: ConversationTable) -> Bool {
        record.taken.contains { letter in
            guard let place = conversations[letter.conversation], place.machine.record.contact == contact else {
                return false
            }
            return place.machine.isLeaving || place.machine.record.status == .left
        }
    }

    /// Adds the members to the contacts. In a pending conversation, adds only the inviter, so that a stranger cannot fill the
    /// list of contacts. The remaining members become contacts when the user accepts the conversation.
    private func meet(
        _ group: Group, _ invitation: Invitation, isPending: Bool, isUninvited: Bool, in device: inout DeviceState
    ) -> MetMembers {
        let mayBeDirect = invitation.letter.message.isDirect
        if isPending { return device.meetInviter(invitation.inviter, in: group, mayBeDirect: mayBeDirect) }
        return device.meet(group, mayBeDirect: mayBeDirect, trust: isUninvited ? .unverified : record.purpose.trust)
    }

    /// Creates a conversation for a group that this device has joined.
    private func newConversation(
        for group: Group, _ invitation: Invitation, request: ContactRequest?, in profile: inout ProfileState
    ) -> ConversationTable.Place {
        let message = invitation.letter.message
        let relay = profile.device.relays.id(for: message.relay, isWanted: request == nil, in: &profile.device.step)
        var record = ConversationRecord(
            channel: invitation.channel, relay: relay, title: message.title, contact: nil, isDirect: false,
            isCreated: true, epoch: group.epoch, memberCount: group.memberCount,
            consent: request == nil ? .given : .pending)
        record.request = request
        return profile.makeConversation(record)
    }

    /// Reacts to a letter that has led to a conversation.
    ///
    /// - If the invite admits only one person, and another person had already used it, this device leaves the conversation and
    ///   does nothing else.
    /// - If the invite is for one person, the inbox is marked for closing. The inbox closes after all letters that have arrived
    ///   were read.
    /// - Any other inbox gets a new key package in place of the used one, but not while the conversation is pending: a new key
    ///   package would show that the letter was read.
    private mutating func answer(
        _ conversation: ConversationTable.Place, isUninvited: Bool, in device: inout DeviceState
    ) throws(KithError) {
        if isUninvited {
            // This device joins and leaves, so that the other person learns that nobody reads the conversation.
            return try conversation.handle(.leaveUninvited, in: &device)
        }
        let mayAct = conversation.machine.mayAct
        if mayAct { try conversation.handle(.scheduleCard, in: &device) }
        if case .invite(let isReusable, _) = record.purpose {
            if !record.isUsed { device.emit(.inviteUsed(id, conversation.machine.id)) }
            guard isReusable else { return record.didUse() }
        }
        if mayAct { try makeDeposit(replacing: 1, in: &device) }
    }
}

/// An opened Welcome. This device has not joined the Welcome's group yet.
private struct Invitation {
    let letter: OpenLetter
    let opened: OpenedWelcome
    let channel: ChannelID
    /// The account of the member that has created the Welcome; `nil` if the member's credential names no account.
    let inviter: AccountKey?

    /// Opens the Welcome of a letter; `nil` if the Welcome is not authentic.
    init?(_ letter: OpenLetter, tree: [UInt8]?, in environment: MLSEnvironment) {
        guard
            let opened = try? OpenedWelcome(letter.welcome, with: letter.bundle, ratchetTree: tree, in: environment),
            let channel = ChannelID(opened.groupID)
        else { return nil }
        self.letter = letter
        self.opened = opened
        self.channel = channel
        inviter = opened.inviter.credential.deviceCertificate?.accountKey
    }
}
