import KithWire
import MLS

// Adds the people in groups to the contacts, and names them in the notices about commits.

/// The other members of a group that this device has joined.
struct MetMembers {
    let contacts: [ContactID]
    /// Whether the group is a conversation of two.
    let isDirect: Bool
}

extension DeviceState {
    // MARK: Contacts

    /// Adds the other members of a group to the contacts.
    ///
    /// - Parameter trust: the reason why the other person's key in a conversation of two is believed. In a group, `trust` is
    ///   ignored, because an invite for one person says nothing about other people.
    mutating func meet(_ group: Group, mayBeDirect: Bool, trust: Trust) -> MetMembers {
        let others = otherCertificates(in: group)
        let isDirect = mayBeDirect && Set(others.map(\.accountKey)).count == 1
        let contacts = others.map { remember($0, trust: isDirect ? trust : .unverified) }
        return MetMembers(contacts: contacts, isDirect: isDirect)
    }

    /// Adds only the inviter of a pending conversation to the contacts.
    mutating func meetInviter(_ inviter: AccountKey?, in group: Group, mayBeDirect: Bool) -> MetMembers {
        let others = otherCertificates(in: group)
        let isDirect = mayBeDirect && Set(others.map(\.accountKey)).count == 1
        guard let certificate = others.first(where: { $0.accountKey == inviter }) else {
            return MetMembers(contacts: [], isDirect: isDirect)
        }
        return MetMembers(contacts: [remember(certificate, trust: .unverified, isStranger: true)], isDirect: isDirect)
    }

    private func otherCertificates(in group: Group) -> [DeviceCertificate] {
        group.members.compactMap { $0.leaf.credential.deviceCertificate }.filter { $0.accountKey != account }
    }

    /// Remembers which contacts' devices a commit has replaced.
    ///
    /// - Parameter isChosen: whether the commit adds the owner of an invite that the user has opened.
    mutating func didReplaceDevices(_ effect: CommitEffect, isChosen: Bool) {
        let removed = effect.removed.compactMap(\.leaf.credential.deviceCertificate)
        guard !removed.isEmpty else { return }
        for new in effect.added.compactMap(\.leaf.credential.deviceCertificate) {
            for old in removed where old.accountKey == new.accountKey {
                contacts.didReplace(old, by: new, isChosen: isChosen, in: &step)
            }
        }
    }

    /// Returns the contacts that a commit adds. A contact of whom it only replaces a device was a member before.
    func newMembers(in effect: CommitEffect) -> [ContactID] {
        let replaced = Set(effect.removed.compactMap { $0.leaf.credential.deviceCertificate?.accountKey })
        return effect.added.compactMap { $0.leaf.credential.deviceCertificate?.accountKey }
            .filter { !replaced.contains($0) }.compactMap { contacts[$0]?.id }
    }

    // MARK: Notices

    /// Returns the notices about a commit.
    ///
    /// - Parameter group: the group before the commit.
    mutating func notices(
        of effect: CommitEffect, by committer: EntryRecord.Author, in group: Group
    ) -> [Notice] {
        let by = name(of: committer)
        var notices: [Notice] = []
        for (_, leaf) in effect.added {
            guard let certificate = leaf.credential.deviceCertificate else { continue }
            let person = person(certificate)
            let isReplaced = effect.removed.contains {
                $0.leaf.credential.deviceCertificate?.accountKey == certificate.accountKey
            }
            notices.append(.added(isReplaced ? "\(person) (another device)" : person, by: by))
        }
        for (_, leaf) in effect.removed {
            guard let certificate = leaf.credential.deviceCertificate else { continue }
            let isReplaced = effect.added.contains {
                $0.leaf.credential.deviceCertificate?.accountKey == certificate.accountKey
            }
            if isReplaced { continue }
            let person = person(certificate)
            notices.append(hasProposedOwnRemoval(leaf, in: group) ? .left(person) : .removed(person, by: by))
        }
        if notices.isEmpty { notices.append(.renewed(by: by)) }
        return notices
    }

    /// Notes the name in the new certificate of a commit's sender.
    ///
    /// - Returns: the notice about a changed name; `nil` if there is nothing to tell.
    mutating func followName(at leaf: LeafIndex, from old: Group, to new: Group) -> Notice? {
        guard let before = old.tree[leaf]?.credential.deviceCertificate,
            let now = new.tree[leaf]?.credential.deviceCertificate, before.accountKey == now.accountKey,
            before.name != now.name, let contact = contacts[now.accountKey]
        else { return nil }
        return contacts.follow(now.name, from: before.name, of: contact.id, in: &step)
    }

    private func hasProposedOwnRemoval(_ leaf: LeafNode, in group: Group) -> Bool {
        group.pendingProposals.contains { proposal in
            guard case .member(let sender) = proposal.sender, case .remove(let target) = proposal.proposal else {
                return false
            }
            return sender == target && group.tree[target] == leaf
        }
    }

    /// Returns a member's name. A new person becomes an unverified contact.
    private mutating func person(_ certificate: DeviceCertificate) -> String {
        if certificate.accountKey == account { return identity.name }
        let id = remember(certificate, trust: .unverified)
        return contacts[id]?.name ?? certificate.name
    }

    // MARK: Authors and mentions

    /// Returns an entry's author in the form that users see.
    func shownAuthor(_ author: EntryRecord.Author) -> Message.Author {
        switch author {
        case .me: return .me
        case .unknown: return .contact(ContactID(rawValue: 0), name: "somebody", .unverified)
        case .contact(let id):
            guard let contact = contacts[id] else { return .contact(id, name: "somebody", .unverified) }
            return .contact(id, name: contact.name, contact.trust)
        }
    }

    /// Returns the author to whom an account key belongs.
    func author(with account: AccountKey) -> EntryRecord.Author {
        account == self.account ? .me : contacts[account].map { .contact($0.id) } ?? .unknown
    }

    /// Returns this profile's name for a mentioned account; `nil` if the account is unknown.
    func mentionedName(_ account: AccountFingerprint) -> String? {
        account == self.account.fingerprint ? identity.name : contacts[account]?.name
    }

    /// Returns the author and the text of an answered message; `nil` if this device does not have the message.
    func quote(_ place: EntryPlace) -> Message.Quote? {
        guard let record = try? entry(at: place) else { return nil }
        var text: String?
        if case .text(let answered) = record.body { text = answered.replacingMentions(mentionedName) }
        return Message.Quote(
            seq: place.seq, author: shownAuthor(record.author), text: text, isEdited: record.marks.editCount > 0)
    }
}
