import KithWire

/// The people that a profile knows. No two contacts have the same name or the same key.
struct ContactBook {
    private var contacts: [ContactID: Contact] = [:]
    private var idsByKey: [AccountKey: ContactID] = [:]
    private var idsByFingerprint: [AccountFingerprint: ContactID] = [:]
    private var names: NamesInUse

    /// - Parameter own: the user's name, which no contact may have.
    init(folding: NameFolding, own: String) {
        names = NamesInUse(folding: folding)
        names.didRename(from: nil, to: own)
    }

    // MARK: Reading

    /// All contacts, in no particular order.
    var all: some Collection<Contact> { contacts.values }

    /// All contacts, sorted by name.
    var sorted: [Contact] { contacts.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) } }

    subscript(_ id: ContactID) -> Contact? { contacts[id] }

    /// The contact with the given account key; `nil` if there is none.
    subscript(_ key: AccountKey) -> Contact? { idsByKey[key].flatMap { contacts[$0] } }

    /// The contact whose account key has the given fingerprint; `nil` if there is none.
    subscript(_ account: AccountFingerprint) -> Contact? { idsByFingerprint[account].flatMap { contacts[$0] } }

    /// Returns the contact with the given id.
    ///
    /// - Throws: ``KithError/notFound(_:)``.
    func contact(_ id: ContactID) throws(KithError) -> Contact {
        guard let contact = contacts[id] else { throw .notFound("contact") }
        return contact
    }

    /// Returns the contact with exactly this name.
    func named(_ name: String) -> Contact? { contacts.values.first { $0.name == name } }

    /// Returns the contact with the given account key. `nil` if there is none, or if all conversations with the contact are
    /// pending.
    func acquaintance(_ account: AccountKey?) -> ContactID? {
        guard let contact = account.flatMap({ self[$0] }), !contact.isStranger else { return nil }
        return contact.id
    }

    /// Returns whether the user has blocked the person with an account key.
    func hasBlocked(_ account: AccountKey?) -> Bool { account.flatMap { self[$0] }?.isBlocked == true }

    /// Returns whether the user has blocked the author of an entry.
    func hasBlocked(_ author: EntryRecord.Author) -> Bool {
        if case .contact(let id) = author { contacts[id]?.isBlocked == true } else { false }
    }

    // MARK: Loading

    /// Adds a contact from the store.
    mutating func load(_ contact: Contact) {
        index(contact)
        names.didRename(from: nil, to: contact.name)
    }

    /// Appends numbers to names that look like the name of the user or of another contact. Profiles of earlier versions may
    /// contain names that look alike. The numbers are added in memory only: the store keeps a contact's old name until the
    /// contact is stored again.
    mutating func distinguishNames() {
        for id in contacts.keys.sorted().reversed() {
            guard let name = contacts[id]?.name, !names.isFree(name, exceptFor: name) else { continue }
            let free = names.free(name)
            names.didRename(from: name, to: free)
            contacts[id]?.name = free
        }
    }

    /// Stores a contact under its id and its account key. If the contact had another key before, the earlier key no longer
    /// leads to the contact.
    private mutating func index(_ contact: Contact) {
        if let known = contacts[contact.id]?.accountKey, known != contact.accountKey { forget(known) }
        contacts[contact.id] = contact
        guard idsByKey.updateValue(contact.id, forKey: contact.accountKey) != contact.id else { return }
        idsByFingerprint[contact.accountKey.fingerprint] = contact.id
    }

    /// Makes a key lead to no contact.
    private mutating func forget(_ key: AccountKey) {
        idsByKey[key] = nil
        idsByFingerprint[key.fingerprint] = nil
    }

    // MARK: Changes

    /// Stores a new or changed contact, and reports it in an event.
    mutating func store(_ contact: Contact, in step: inout Step) {
        names.didRename(from: contacts[contact.id]?.name, to: contact.name)
        index(contact)
        step.put(StoreKey(.contact, item: contact.id.rawValue), contact.stored)
        step.emit(.contact(contact))
    }

    /// Returns the contact with a person's account key. If no contact has the key, creates a contact. If the person's name is
    /// taken, appends a number to the name.
    mutating func remember(
        _ person: Acquaintance, in step: inout Step
    ) -> ContactID {
        if var contact = self[person.accountKey] {
            let known = contact
            contact.trust = max(contact.trust, person.trust)
            contact.isStranger = contact.isStranger && person.isStranger
            if contact != known { store(contact, in: &step) }
            return contact.id
        }
        let contact = Contact(
            id: step.numbers.nextContact(), name: freeName(person.name), accountKey: person.accountKey,
            trust: person.trust,
            conflictingKey: nil, inbox: person.inbox, registeredName: person.registeredName,
            isStranger: person.isStranger)
        store(contact, in: &step)
        return contact.id
    }

    /// Returns the wanted name, changed if necessary, so that neither a contact nor the user already has it. People choose
    /// their own names, so two people may choose the same name.
    private mutating func freeName(_ wanted: String) -> String {
        names.free(wanted.trimmedOneLine.isEmpty ? "somebody" : wanted.trimmedOneLine)
    }

    /// Stores whether the user has compared the safety numbers.
    mutating func setVerified(
        _ id: ContactID, _ isVerified: Bool, in step: inout Step
    ) throws(KithError) {
        var contact = try contact(id)
        contact.trust = isVerified ? .compared : .unverified
        store(contact, in: &step)
    }

    /// Blocks or unblocks a contact. Blocking forgets the contact's private request, and the text that waits for the contact.
    mutating func setBlocked(_ id: ContactID, _ isBlocked: Bool, in step: inout Step) throws(KithError) {
        var contact = try contact(id)
        guard contact.isBlocked != isBlocked else { return }
        contact.isBlocked = isBlocked
        if contact.groupRequest != nil || contact.waitingText != nil { step.erase() }
        contact.groupRequest = nil
        if isBlocked { contact.waitingText = nil }
        store(contact, in: &step)
    }

    /// The number of private requests that wait for the user's decision.
    var requestCount: Int { contacts.values.count { $0.groupRequest != nil } }

    /// Replaces a contact's private request; `nil` removes it.
    ///
    /// - Parameter isAccepted: whether the user has accepted the request that is replaced or removed. If so, the inbox in that
    ///   request becomes the contact's address.
    mutating func setRequest(
        _ request: GroupRequest?, of id: ContactID, isAccepted: Bool = false, in step: inout Step
    ) {
        guard var contact = contacts[id] else { return }
        if isAccepted, let inbox = contact.groupRequest?.inbox { contact.inbox = inbox }
        if request == nil { step.erase() }
        contact.groupRequest = request
        store(contact, in: &step)
    }

    /// Stores or removes the text that waits until a contact begins a conversation of two.
    mutating func setWaiting(_ text: String?, for id: ContactID, in step: inout Step) {
        guard var contact = contacts[id], contact.waitingText != text else { return }
        contact.waitingText = text
        store(contact, in: &step)
    }

    /// Deletes a contact.
    mutating func delete(_ id: ContactID, in step: inout Step) throws(KithError) {
        let contact = try contact(id)
        contacts[id] = nil
        forget(contact.accountKey)
        names.didRemove(contact.name)
        step.delete(StoreKey(.contact, item: id.rawValue))
        step.erase()
    }

    /// Changes the name that the user has given a contact.
    ///
    /// - Throws: ``KithError/blankName``, ``KithError/tooLong(limit:)``, ``KithError/nameTaken(_:)`` or ``KithError/notFound(_:)``.
    mutating func rename(_ id: ContactID, _ name: String, in step: inout Step) throws(KithError) {
        var contact = try contact(id)
        let name = try name.nameOfOneLine(atMost: ClientLimits.personName)
        guard names.isFree(name, exceptFor: contact.name) else { throw .nameTaken(name) }
        contact.name = name
        store(contact, in: &step)
    }

    /// Changes the user's own name, which no contact may have.
    mutating func renameUser(from old: String, to name: String) throws(KithError) {
        guard names.isFree(name, exceptFor: old) else { throw .nameTaken(name) }
        names.didRename(from: old, to: name)
    }

    /// Notes that a contact has changed its own name. The contact gets the new name on this device, unless the user has given the
    /// contact another name.
    ///
    /// - Returns: the notice about the change; `nil` if the change is known already or the contact is blocked.
    mutating func follow(_ name: String, from old: String, of id: ContactID, in step: inout Step) -> Notice? {
        let name = name.trimmedOneLine
        guard var contact = contacts[id], contact.ownName != name, !name.isEmpty else { return nil }
        let before = contact.name
        contact.ownName = name
        if before == old.trimmedOneLine {
            contact.name = names.isFree(name, exceptFor: before) ? name : names.free(name)
        }
        store(contact, in: &step)
        if contact.isBlocked { return nil }
        return .calledNow(before, now: contact.name == before ? name : contact.name)
    }

    /// Replaces a contact's pinned key by the conflicting key, or discards the conflicting key.
    ///
    /// - Returns: the contact before the change.
    mutating func decideKey(
        _ id: ContactID, accept: Bool, in step: inout Step
    ) throws(KithError) -> Contact {
        guard let before = contacts[id], let other = before.conflictingKey else { throw .notFound("conflicting key") }
        var contact = before
        contact.conflictingKey = nil
        if accept {
            contact = Contact(
                id: id, name: before.name, accountKey: other, trust: .unverified, conflictingKey: nil, inbox: nil,
                registeredName: before.registeredName, isBlocked: before.isBlocked)
        }
        store(contact, in: &step)
        return before
    }

    /// Stores an inbox's address for the contact that owns the inbox. Does nothing if no contact owns the inbox, or if the
    /// contact already has an address.
    mutating func learnAddress(_ inbox: InboxAddress, in step: inout Step) {
        guard var contact = self[inbox.account], contact.inbox == nil else { return }
        contact.inbox = inbox
        store(contact, in: &step)
    }

    /// Stores the address that a contact has sent for new conversations. If the address belongs to another account, does nothing.
    ///
    /// - Parameter device: the id of the device that has sent the address. If another device had replaced the sending device, the
    ///   sending device counts as in use again.
    mutating func takeCard(
        _ inbox: InboxAddress, of id: ContactID, from device: DeviceCertificate.ID?, in step: inout Step
    ) {
        guard var contact = contacts[id], inbox.account == contact.accountKey.fingerprint else { return }
        contact.inbox = inbox
        if let device { contact.formerDevices.remove(device) }
        store(contact, in: &step)
    }

    /// Forgets a contact's address. Called when this device has used an invite of the contact. The stored address might belong
    /// to another device of the contact, and the inviting device will send its own address.
    mutating func forgetAddress(of account: AccountFingerprint, in step: inout Step) {
        guard var contact = self[account], contact.inbox != nil else { return }
        contact.inbox = nil
        store(contact, in: &step)
    }

    /// Notes that a commit has replaced a contact's device.
    ///
    /// - Parameter isChosen: whether the user has opened an invite of the new device. Without an invite, the commit is ignored
    ///   if `new` is the older device, because the committer might have used an old address.
    mutating func didReplace(
        _ old: DeviceCertificate, by new: DeviceCertificate, isChosen: Bool, in step: inout Step
    ) {
        guard old.deviceID != new.deviceID, var contact = self[new.accountKey] else { return }
        guard isChosen || new.lifetime.notBefore >= old.lifetime.notBefore else { return }
        contact.formerDevices.add(old.deviceID)
        contact.formerDevices.remove(new.deviceID)
        if contact != self[new.accountKey] { store(contact, in: &step) }
    }

    /// Adds the owner of a name to the contacts, after a relay has answered who the owner is. If an earlier lookup of the name
    /// has found a contact with another key, adds nobody, and stores the owner's key as the conflicting key of that contact.
    ///
    /// - Parameters:
    ///   - alias: the user's own name for the owner.
    ///   - pin: the key of the relay that has the name. Each relay has its own names, so another relay can give this name to
    ///     another person.
    mutating func find(
        _ holder: NameHolder, as alias: String?, at pin: RelayPin?, in step: inout Step
    ) -> Result<ContactID, KithError> {
        if var contact = self[holder.accountKey] {
            contact.inbox = holder.inbox
            contact.registeredName = contact.registeredName ?? holder.name
            store(contact, in: &step)
            return .success(contact.id)
        }
        if var contact = contacts.values.first(where: {
            $0.registeredName == holder.name && ($0.inbox.map { $0.relay.pin == pin } ?? true)
        }) {
            contact.conflictingKey = holder.accountKey
            store(contact, in: &step)
            return .failure(
                .keyChanged(
                    contact: contact.name, pinned: contact.accountKey.fingerprint, found: holder.accountKey.fingerprint)
            )
        }
        // A contact whom the user calls by this name need not be the owner of the registered name. On this device, each name
        // must refer to one person only.
        let called = alias ?? holder.name.text
        if named(called) != nil { return .failure(.nameTaken(called)) }
        let person = Acquaintance(
            accountKey: holder.accountKey, name: called, inbox: holder.inbox, registeredName: holder.name)
        return .success(remember(person, in: &step))
    }
}

/// The data about a person when the client first sees the person. The data is from a device certificate or a registered name.
struct Acquaintance {
    let accountKey: AccountKey
    /// The preferred name. The person gets this name if no other contact has it.
    let name: String
    var trust = Trust.unverified
    /// Whether the person was seen in a pending conversation. A contact who was a stranger remains a stranger only if the value
    /// is `true`.
    var isStranger = false
    var inbox: InboxAddress?
    var registeredName: Name?
}

/// The owner of a registered name. The data is from a verified record.
struct NameHolder {
    let name: Name
    let accountKey: AccountKey
    let inbox: InboxAddress
}

extension NameHolder {
    /// Reads a verified record; `nil` if the record contains no inbox address, or if the address belongs to another account.
    init?(_ record: NameRecord, of name: Name) {
        guard let key = AccountKey(record.identity), let address = try? InboxAddress(decoding: record.content),
            address.account == key.fingerprint
        else { return nil }
        (self.name, accountKey, inbox) = (name, key, address)
    }
}
