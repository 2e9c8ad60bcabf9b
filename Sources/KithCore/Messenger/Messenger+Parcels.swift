import KithWire
import MLS

// Commits and trees that are too long for an entry, fetched from channels of their own.

extension Messenger {
    /// - Parameter since: when it began to be waited for, in milliseconds since 1970.
    func fetch(_ address: ParcelAddress, at relay: RelayID, for purpose: ParcelPurpose, since: UInt64) {
        parcels.fetch(address, at: relay, for: purpose, since: since)
        relays.want(relay, in: &step)
        parcels.open(purpose, relays, in: &step)
    }

    func handle(_ event: ParcelFetches.Event?) throws(KithError) {
        switch event {
        case .came(.tree(let inbox), let bytes): try didFetchTree(bytes, inbox)
        case .came(.commit(let conversation), let bytes): try didFetchCommit(bytes, conversation)
        case .failed(.tree(let inbox), _): try didNotFetchTree(inbox)
        case .failed(.commit(let id), let code):
            if let conversation = conversations[id] {
                try stop(conversation, code == .trimmed || code == .gone ? .trimmed : .brokenLog)
            }
        case nil: break
        }
    }
}
