import KithWire
import MLS

/// A letter that a key package of this device opened.
struct OpenLetter {
    /// The inbox's entry that it came in.
    let entry: Entry
    let letter: InboxLetter
    let message: InboxMessage
    let welcome: Welcome
    let bundle: KeyPackageBundle
    /// The key package's number in its inbox.
    let number: UInt64
}

// From a Welcome to a conversation.

extension InboxMachine {
    /// Joins a group with the Welcome of a letter. Nothing happens if it is not genuine, or not wanted.
    ///
    /// - Parameter tree: the group's tree, if it lay in a parcel.
    mutating func join(
        _ letter: OpenLetter, tree: [UInt8]?, in profile: inout ProfileState
    ) throws(KithError) -> Taken {
        // Decisions come first: joining takes time and memory in proportion to the group.
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
                let mayBringBack = try old.machine.mayBeBroughtBack(
                    by: invitation.inviter, into: group, in: &profile.device)
                guard mayBringBack else { return .done }
            }
            forgetKeyPackage(of: letter, in: &profile.device.step)
            let people = meet(group, invitation, isPending: isPending, isUninvited: isUninvited, in: &profile.device)
            let conversation = old ?? newConversation(for: group, invitation, isPending: isPending, in: &profile)
            let difference = try conversation.machine.join(
                group, by: letter.message, isBack: old != nil, people, in: &profile.device)
            record.didTake(letter.letter, in: letter.entry.id, conversation.machine.id)
            try answer(conversation, isUninvited: isUninvited, in: &profile.device)
            if let difference { try conversation.machine.warn(difference, in: &profile.device) }
            try conversation.machine.open(in: &profile.device)
            try conversation.machine.emitSummary(in: &profile.device)
            return .done
        }
    }

    private enum Judgement {
        case decided(Taken)
        /// - Parameters:
        ///   - isUninvited: whether the invite was for one person, and another has come with it.
        ///   - isPending: whether the user has to accept the conversation.
        case mayJoin(isUninvited: Bool, isPending: Bool)
    }

    /// Judges an invitation by what is known before the group is joined.
    ///
    /// - Parameter old: the conversation that is here already.
    private func judge(
        _ invitation: Invitation, _ old: ConversationMachine?, in profile: inout ProfileState
    ) -> Judgement {
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
        // The invite was for one person, and another has come with it.
        let isUninvited = record.isUsed && (known.map { wasDeclined($0, in: profile.conversations) } ?? true)
        // Joining a group would add its members as contacts, who could then use the invite in their turn.
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
        if isPending, old == nil, !profile.conversations.hasRoomForPending {
            return .decided(profile.device.leaveForLater())
        }
        return .mayJoin(isUninvited: isUninvited, isPending: isPending)
    }

    /// Whether a contact has come with a letter to this inbox before and was left at once.
    private func wasDeclined(_ contact: ContactID, in conversations: ConversationTable) -> Bool {
        record.taken.contains { letter in
            guard let place = conversations[letter.conversation], place.machine.record.contact == contact else {
                return false
            }
            return place.machine.isLeaving || place.machine.record.status == .left
        }
    }

    /// Remembers the members as contacts. Of a pending conversation, only the inviter: the others become contacts when the user
    /// accepts it, because a stranger must not fill the list.
    private func meet(
        _ group: Group, _ invitation: Invitation, isPending: Bool, isUninvited: Bool, in device: inout DeviceState
    ) -> MetMembers {
        let mayBeDirect = invitation.letter.message.isDirect
        if isPending { return device.meetInviter(invitation.inviter, in: group, mayBeDirect: mayBeDirect) }
        return device.meet(group, mayBeDirect: mayBeDirect, trust: isUninvited ? .unverified : record.purpose.trust)
    }

    /// A new conversation for a group that this device joined.
    private func newConversation(
        for group: Group, _ invitation: Invitation, isPending: Bool, in profile: inout ProfileState
    ) -> ConversationTable.Place {
        let message = invitation.letter.message
        let relay = profile.device.relays.id(for: message.relay, isWanted: !isPending, in: &profile.device.step)
        let record = ConversationRecord(
            channel: invitation.channel, relay: relay, title: message.title, contact: nil, isDirect: false,
            isCreated: true, epoch: group.epoch, memberCount: group.memberCount,
            consent: isPending ? .pending : .given)
        return profile.makeConversation(record)
    }

    /// Does what follows from a letter that led to a conversation: an inbox for a single person is closed once it is known who else
    /// came, the others are filled up. After a stranger's letter that waits for the user's consent: a new key package would tell that
    /// the letter was read.
    private mutating func answer(
        _ conversation: ConversationTable.Place, isUninvited: Bool, in device: inout DeviceState
    ) throws(KithError) {
        if isUninvited {
            // Leave visibly: otherwise they would keep writing to nobody.
            conversation.machine.enqueueIntent(.leave, in: &device)
            return conversation.machine.emit(.inviteUsedAgain, in: &device)
        }
        let mayAct = conversation.machine.mayAct
        if mayAct { conversation.machine.sendCard(in: &device) }
        if case .invite(let isReusable, _) = record.purpose {
            if !record.isUsed { device.emit(.inviteUsed(id, conversation.machine.id)) }
            guard isReusable else { return record.didUse() }
        }
        if mayAct { try makeDeposit(replacing: 1, in: &device) }
    }
}

/// A Welcome with the group that it leads to, before that is joined.
private struct Invitation {
    let letter: OpenLetter
    let opened: OpenedWelcome
    let channel: ChannelID
    /// The account of the member who made the Welcome.
    let inviter: AccountKey?

    /// `nil` if the Welcome is not genuine.
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
