import KithWire
import MLS

// The authors of entries, and their names here.

extension Messenger {
    func author(of sender: Sender, _ group: Group) -> EntryRecord.Author {
        guard case .member(let leaf) = sender, let certificate = group.tree[leaf]?.credential.deviceCertificate else {
            return .unknown
        }
        return author(certificate.accountKey)
    }

    func author(_ account: AccountKey) -> EntryRecord.Author {
        if account == profile.account.publicKey { return .me }
        return contacts[account].map { .contact($0.id) } ?? .unknown
    }

    func name(of author: EntryRecord.Author) -> String {
        switch author {
        case .me: profile.name
        case .contact(let id): contacts[id]?.name ?? "somebody"
        case .unknown: "somebody"
        }
    }
}
