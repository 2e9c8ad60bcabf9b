import ArgumentParser
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
        if let pin { return (try await connect(.pinned(pin)), false) }
        switch try known.standing(of: address) {
        case .known(let pin):
            do {
                return (try await connect(.pinned(pin)), false)
            } catch .pinMismatch(let expected, let found) {
                throw keyChanged(expected: expected, found: found)
            }
        case .unknown:
            let connection = try await connect(.firstContact)
            switch try known.remember(connection.pin, of: address) {
            case .added: return (connection, true)
            case .wasKnown: return (connection, false)
            case .isAnother(let expected):
                await connection.close()
                throw keyChanged(expected: expected, found: connection.pin)
            }
        }
    }

    private func connect(_ trust: RelayTrust) async throws(RelayConnectionError) -> RelayConnection {
        try await RelayConnection.connect(to: address, trust: trust, pass: pass)
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

extension RelayAddress: ExpressibleByArgument {
    /// Reads `HOST:PORT`.
    public init?(argument: String) { self.init(argument) }
}

extension RelayPin: ExpressibleByArgument {
    /// Reads a pin as relays print it.
    public init?(argument: String) { self.init(argument) }
}
