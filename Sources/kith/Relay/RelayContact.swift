import Foundation
import KithClient
import KithWire

/// Connects to a relay and checks the relay's key, as ssh does for hosts.
struct RelayContact: Sendable {
    let address: RelayAddress
    /// The expected key, if the user gave one.
    let pin: RelayPin?
    let pass: RelayPass?
    let known: KnownRelays

    /// Connects. Stores the key of an unknown relay, and refuses a relay whose key has changed.
    func connect() async throws -> (connection: RelayConnection, isFirstContact: Bool) {
        do throws(KithError) {
            let contact = try await known.connect(to: address, pin: pin, pass: pass)
            return (contact.connection, contact.isFirst)
        } catch {
            switch error {
            case .relayKeyChanged(_, let expected, let found): throw keyChanged(expected: expected, found: found)
            case .relay(let error): throw error
            case .file(let error): throw error
            default: throw error
            }
        }
    }

    private func keyChanged(expected: RelayPin, found: RelayPin) -> Failure {
        Failure(
            message:
                "the relay at \(address) has another key than before (known: \(expected), now: \(found)). Somebody "
                + "may be posing as it; nothing was sent. If you are sure that its key is new, delete its line in "
                + "\(known.file.url.path) and connect again",
            code: .wrongKey)
    }
}

extension KnownRelays {
    /// The relays that this user knows. Other users must neither read nor change the list. If other users have rights to the file
    /// of this list, the rights are removed, and this user is told.
    static func ofThisUser() throws -> KnownRelays {
        let known = KnownRelays()
        if try known.file.closeToOthers() {
            let path = SafeText.oneLine(known.file.url.path)
            StandardStream.error.write("[\(path) was open to others on this machine; it is private now]\n")
        }
        return known
    }
}
