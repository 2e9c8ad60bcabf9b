import KithWire
import MLS

extension Messenger {
    /// The contact that a device belongs to. Somebody new is remembered with the key at hand; a name that is taken gets a number.
    ///
    /// - Parameter isStranger: whether the contact is met in a pending conversation. Met otherwise, a stranger is none any more.
    func remember(
        _ certificate: DeviceCertificate, trust: Trust, alias: String? = nil, isStranger: Bool = false
    ) -> ContactID {
        if let id = contactsByKey[certificate.accountKey] {
            guard var contact = contacts[id] else { return id }
            let known = contact
            contact.trust = max(contact.trust, trust)
            contact.isStranger = contact.isStranger && isStranger
            if contact != known { store(contact) }
            return id
        }
        let id = ContactID(rawValue: nextNumbers.contact)
        nextNumbers.contact += 1
        let contact = Contact(
            id: id, name: freeName(alias ?? certificate.name), accountKey: certificate.accountKey, trust: trust,
            conflictingKey: nil, inbox: nil, registeredName: nil, isStranger: isStranger)
        contactsByKey[certificate.accountKey] = id
        store(contact)
        return id
    }

    /// A name that neither another contact nor the user has: people choose their names themselves, and names are not unique.
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
        guard contactNames.isFree(name, exceptFor: contact.name) else { throw .nameTaken(name) }
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

/// The names of the contacts and of the user. Finding a free name takes no longer with thousands of names: a member can add
/// thousands of people who all have the same name.
///
/// Names that look the same count as the same: case, width and characters that no font draws make no difference.
struct NamesInUse {
    private let folding: NameFolding
    /// The number of holders of each name, in the form that is compared: older profiles may have two of one.
    private var holders: [String: Int] = [:]
    /// The number from which on to look, by name.
    private var nextNumber: [String: Int] = [:]

    init(folding: NameFolding) { self.folding = folding }

    mutating func didRename(from old: String?, to name: String) {
        if let old {
            let old = compared(old)
            if let count = holders[old] { holders[old] = count > 1 ? count - 1 : nil }
        }
        holders[compared(name), default: 0] += 1
    }

    /// The name, with a number if another person has it.
    mutating func free(_ name: String) -> String {
        guard !isFree(name) else { return name }
        let key = compared(name)
        var number = nextNumber[key] ?? 2
        while !isFree("\(name) (\(number))") { number += 1 }
        nextNumber[key] = number
        return "\(name) (\(number))"
    }

    /// Whether nobody else has the name.
    ///
    /// - Parameter own: the present name of the person who is to have it.
    func isFree(_ name: String, exceptFor own: String? = nil) -> Bool {
        let key = compared(name)
        let mine = own.map { compared($0) == key } == true ? 1 : 0
        return (holders[key] ?? 0) <= mine
    }

    private func compared(_ name: String) -> String {
        let drawn = name.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint }
        return folding(String(String.UnicodeScalarView(drawn)))
    }
}

extension String {
    /// Without space around it and with none but spaces inside.
    var trimmedOneLine: String {
        split(whereSeparator: { $0.isWhitespace || $0.isNewline }).joined(separator: " ")
    }
}
