import KithWire
import MLS

extension Messenger {
    /// The contact that a device belongs to. Somebody new is remembered with the key at hand; a name that is taken gets a number.
    func remember(_ certificate: DeviceCertificate, trust: Trust, alias: String? = nil) -> ContactID {
        if let id = contactsByKey[certificate.accountKey] {
            if var contact = contacts[id], trust.rawValue > contact.trust.rawValue {
                contact.trust = trust
                store(contact)
            }
            return id
        }
        let id = ContactID(rawValue: nextNumbers.contact)
        nextNumbers.contact += 1
        let contact = Contact(
            id: id, name: freeName(alias ?? certificate.name), accountKey: certificate.accountKey, trust: trust,
            conflictingKey: nil, inbox: nil, registeredName: nil)
        contactsByKey[certificate.accountKey] = id
        store(contact)
        return id
    }

    /// A name that no other contact has: what a person calls themselves is theirs to choose, and not unique.
    func freeName(_ wanted: String) -> String {
        contactNames.free(wanted.trimmedOneLine.isEmpty ? "somebody" : wanted.trimmedOneLine)
    }

    func setVerified(_ id: ContactID, _ isVerified: Bool) throws(KithError) {
        guard var contact = contacts[id] else { throw .notFound("contact") }
        contact.trust = isVerified ? .compared : .unverified
        store(contact)
    }

    func rename(_ id: ContactID, _ name: String) throws(KithError) {
        guard var contact = contacts[id] else { throw .notFound("contact") }
        let name = name.trimmedOneLine
        guard !name.isEmpty, name.utf8.count <= ClientLimits.personName else {
            throw .tooLong(limit: ClientLimits.personName)
        }
        guard !contacts.values.contains(where: { $0.name == name && $0.id != id }) else { throw .nameTaken(name) }
        contact.name = name
        store(contact)
    }

    /// Takes a key that claims to be a contact's as the contact's own, or keeps the pinned one.
    func decideKey(_ id: ContactID, accept: Bool) throws(KithError) {
        guard var contact = contacts[id], let other = contact.conflictingKey else { throw .notFound("conflicting key") }
        contact.conflictingKey = nil
        if accept {
            contactsByKey[contact.accountKey] = nil
            contact = Contact(
                id: id, name: contact.name, accountKey: other, trust: .unverified, conflictingKey: nil, inbox: nil,
                registeredName: contact.registeredName)
            contactsByKey[other] = id
            // What was said with the old key stays with the old key.
            for conversation in conversations(with: id) {
                conversation.record.contact = nil
                conversation.record.title = "\(contact.name) (old key)"
                touch(conversation)
                tell(.conversation(try summary(of: conversation)))
            }
        }
        store(contact)
        for conversation in conversations(with: id) { try pump(conversation) }
    }

    /// The conversations of two with somebody, the oldest first.
    func conversations(with contact: ContactID) -> [Conversation] {
        conversations.values.filter { $0.record.contact == contact }.sorted { $0.id < $1.id }
    }
}

/// What contacts are called here. Finding a name that is free takes no longer the more there are: a member can add thousands
/// of people who all call themselves the same.
struct NamesInUse {
    private var names: Set<String> = []
    /// From which number on to look, by name.
    private var nextNumber: [String: Int] = [:]

    mutating func didRename(from old: String?, to name: String) {
        if let old { names.remove(old) }
        names.insert(name)
    }

    /// The name, with a number if somebody else has it.
    mutating func free(_ name: String) -> String {
        guard names.contains(name) else { return name }
        var number = nextNumber[name] ?? 2
        while names.contains("\(name) (\(number))") { number += 1 }
        nextNumber[name] = number
        return "\(name) (\(number))"
    }
}

extension String {
    /// Without space around it and with none but spaces inside.
    var trimmedOneLine: String {
        split(whereSeparator: { $0.isWhitespace || $0.isNewline }).joined(separator: " ")
    }
}
