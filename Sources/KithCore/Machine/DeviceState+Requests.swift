import KithWire
import MLS

// The requests that belong neither to a conversation nor to an inbox: those about names, deliveries to other people, and
// parcels. This file also reports notices about invitations.

extension DeviceState {
    // MARK: Invitations

    mutating func failCommands(at inbox: InboxID, _ error: KithError) { commands.fail(at: inbox, error, in: &step) }

    /// Reports an invitation that was skipped because of the relay that it names.
    mutating func didPassOverInvitation(to relay: RelayAddress) {
        if invitationNotices.passedOver(to: relay) { emit(.invitationPassedOver(relay)) }
    }

    /// Leaves a stranger's letter at the relay until the user has accepted or declined a pending conversation. The user is told
    /// that letters wait, at most once between two decisions about strangers.
    mutating func leaveForLater() -> InboxMachine.Taken {
        if invitationNotices.tooManyPending() { emit(.tooManyPending) }
        return .aside(.room)
    }

    /// Notes a private request that came through a group. Ignores a request with an inbox that is not the sender's own.
    mutating func takePrivateRequest(_ request: PrivateRequest?, of contact: ContactID, in group: ConversationID) {
        guard let request, contacts[contact]?.accountKey.fingerprint == request.inbox.account else { return }
        step.note(GroupRequest(group: group, text: request.text, inbox: request.inbox), of: contact)
    }

    // MARK: Names

    /// Sends a request about a name, if the relay is connected. A registration is sent only if the inbox that will be registered
    /// is ready.
    ///
    /// - Parameter address: the address of the inbox that will be registered; `nil` if the inbox is not ready, or if the request
    ///   registers no inbox.
    mutating func sendNameRequest(_ asker: NameAsker, for address: InboxAddress?) throws(KithError) {
        guard let asked = nameRequests[asker], relays.isConnected(asked.relay) else { return }
        switch asked.kind {
        case .lookUp, .confirm: request(asked.relay, .lookup(name: asked.name), for: .name(asker))
        case .register:
            guard let address else { return }
            let version = max(wall, asked.version)
            let signed = try callingMLS { () throws(MLSError) in
                try identity.account.nameRecord(asked.name, version: version, content: address.encoded)
            }
            request(asked.relay, .register(name: asked.name, record: signed.unverified), for: .name(asker))
        }
    }

    // MARK: Deliveries

    /// Sends a delivery, if its relay is connected.
    mutating func openDelivery(_ number: UInt64) -> [DeliveryQueue.Event] {
        deliveries.open(number, relays, at: now, in: &step)
    }

    mutating func didAnswerDelivery(
        _ number: UInt64, _ request: DeliveryRequest, _ result: Result<Reply, RelayError>
    ) -> [DeliveryQueue.Event] {
        deliveries.didAnswer((number, request, result), relays, at: now, in: &step)
    }

    // MARK: Parcels

    /// Fetches a commit or tree that is too long for an entry.
    ///
    /// - Parameter since: the start of the wait, in milliseconds; see ``Clocks/now``.
    mutating func fetch(_ address: ParcelAddress, at relay: RelayID, for purpose: ParcelPurpose, since: UInt64) {
        parcels.fetch(address, at: relay, for: purpose, since: since)
        keepConnected(to: relay)
        parcels.open(purpose, relays, in: &step)
    }

    mutating func didStartParcel(_ purpose: ParcelPurpose, _ tag: UInt64, lastSeq: UInt64) -> ParcelFetches.Event? {
        guard parcels.isFollowing(purpose, tag) else { return nil }
        return parcels.didStartFollow(purpose, lastSeq: lastSeq, in: &step)
    }

    mutating func takeParcel(_ purpose: ParcelPurpose, _ tag: UInt64, _ event: FollowEvent) -> ParcelFetches.Event? {
        guard case .entries(let entries) = event, parcels.isFollowing(purpose, tag) else { return nil }
        return parcels.take(entries, of: purpose, in: &step)
    }

    /// Handles a refusal: the relay does not let this device follow a parcel's channel.
    mutating func didRefuseParcel(_ purpose: ParcelPurpose, _ tag: UInt64, _ error: RelayError) -> ParcelFetches.Event?
    {
        guard parcels.isFollowing(purpose, tag) else { return nil }
        return didRefuseParcel(purpose, error)
    }

    /// Handles a refusal: the relay does not grant a request about a parcel, or does not let this device follow the parcel's
    /// channel.
    mutating func didRefuseParcel(_ purpose: ParcelPurpose, _ error: RelayError) -> ParcelFetches.Event? {
        parcels.didRefuse(purpose, error, at: now, in: &step)
    }

    mutating func tickParcel(_ purpose: ParcelPurpose) -> ParcelFetches.Event? {
        parcels.tick(purpose, relays, at: now, in: &step)
    }
}
