import KithWire
import MLS

extension Messenger {
    /// The contact that a device belongs to. Somebody new is remembered with the key at hand.
    ///
    /// - Parameter isStranger: whether the contact is met in a pending conversation.
    func remember(
        _ certificate: DeviceCertificate, trust: Trust, alias: String? = nil, isStranger: Bool = false
    ) -> ContactID {
        let person = Acquaintance(
            accountKey: certificate.accountKey, name: alias ?? certificate.name, trust: trust, isStranger: isStranger)
        return contacts.remember(person, in: &step)
    }

    /// Takes a key that claims to be a contact's as the contact's own, or keeps the pinned one.
    func decideKey(_ id: ContactID, accept: Bool) throws(KithError) {
        let before = try contacts.decideKey(id, accept: accept, in: &step)
        if accept {
            // What was said with the old key stays with the old key.
            for conversation in conversations(with: id) {
                conversation.record.keepOldKey(of: before.name)
                touch(conversation)
                tell(.conversation(try summary(of: conversation)))
            }
        }
        for conversation in conversations(with: id) { try pump(conversation) }
    }

    /// The conversations of two with somebody, the oldest first.
    func conversations(with contact: ContactID) -> [Conversation] {
        conversations.values.filter { $0.record.contact == contact }.sorted { $0.id < $1.id }
    }
}
