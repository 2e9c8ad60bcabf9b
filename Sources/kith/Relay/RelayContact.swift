import Foundation
import KithClient
import KithWire

/// How to reach a relay, and how to know it again: as ssh does with hosts.
struct RelayContact: Sendable {
    let address: RelayAddress
    /// The key it must have, if the user gave one.
    let pin: RelayPin?
    let pass: RelayPass?
    let known: KnownRelays

    /// Connects. The first contact with a relay is remembered; a relay whose key has changed is refused.
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
                + "may be posing as it. Nothing was sent. If you are sure that it has a new key, delete its line in "
                + "\(known.file.url.path) and connect again",
            code: .wrongKey)
    }
}

extension KnownRelays {
    /// The relays that this user knows. Nobody else is to see which, or to put in others: if somebody could, that ends here
    /// and is said.
    static func ofThisUser() throws -> KnownRelays {
        let known = KnownRelays()
        if try known.file.closeToOthers() {
            let path = SafeText.oneLine(known.file.url.path)
            StandardStream.error.write("[\(path) was open to others on this machine; it is yours alone now]\n")
        }
        return known
    }
}
