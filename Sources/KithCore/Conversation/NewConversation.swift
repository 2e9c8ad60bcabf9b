import KithWire
import MLS

/// A conversation that this device begins.
struct NewConversation {
    let relay: RelayID
    /// The name of the group. Empty for a conversation of two.
    let title: String
    let isDirect: Bool
    /// The other person of a conversation of two; `nil` if the person is not known.
    let contact: ContactID?
    /// The people who have to be added.
    let targets: [AddTarget]

    /// A conversation of two.
    init(at relay: RelayID, with contact: ContactID?, _ targets: [AddTarget]) {
        (self.relay, self.contact, self.targets) = (relay, contact, targets)
        (title, isDirect) = ("", true)
    }

    /// A group.
    init(at relay: RelayID, title: String, _ targets: [AddTarget]) {
        (self.relay, self.title, self.targets) = (relay, title, targets)
        (contact, isDirect) = (nil, false)
    }

    /// Creates a group that has only this device, on a new channel.
    func make(in device: DeviceState) throws(KithError) -> (ConversationRecord, Group) {
        let channel = ChannelID.random(from: device.random)
        let lifetime = Lifetime(ofKeyPackageMadeAt: device.wall / 1000)
        let group = try callingMLS { () throws(MLSError) in
            try Group(
                creating: channel.bytes, suite: device.identity.suite, client: device.identity.client,
                lifetime: lifetime, in: device.environment)
        }
        let record = ConversationRecord(
            channel: channel, relay: relay, title: title, contact: contact, isDirect: isDirect, isCreated: false,
            epoch: 0, memberCount: 1)
        return (record, group)
    }
}
