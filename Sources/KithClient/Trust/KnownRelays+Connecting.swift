import KithCore
import KithWire

extension KnownRelays {
    /// A connection to a relay, with the result of checking its key.
    package struct Contact: Sendable {
        /// The connection.
        package let connection: RelayConnection
        /// Whether the relay was unknown before. The key of an unknown relay is accepted without a check.
        package let isFirst: Bool
    }

    /// Connects to a relay. Stores the key of a new relay, and refuses a relay whose key has changed.
    ///
    /// - Parameter pin: the key that the relay must have. With a pin, the file is neither read nor changed.
    /// - Throws: ``KithError/relayKeyChanged(_:known:found:)``, ``KithError/relay(_:)``, ``KithError/file(_:)``.
    package func connect(
        to address: RelayAddress, pin: RelayPin? = nil, pass: RelayPass? = nil
    ) async throws(KithError) -> Contact {
        var known = pin
        do throws(PrivateFileError) {
            if known == nil { known = try self.pin(of: address) }
        } catch {
            throw .file(error)
        }
        let trust = known.map(RelayTrust.pinned) ?? .firstContact
        let connection: RelayConnection
        do throws(RelayConnectionError) {
            connection = try await RelayConnection.connect(to: address, trust: trust, pass: pass)
        } catch {
            if pin == nil, case .pinMismatch(let known, let found) = error {
                throw .relayKeyChanged(address, known: known, found: found)
            }
            throw .relay(error)
        }
        guard trust == .firstContact else { return Contact(connection: connection, isFirst: false) }
        let remembered: Remembered
        do throws(PrivateFileError) { remembered = try remember(connection.pin, of: address) } catch {
            await connection.close()
            throw .file(error)
        }
        switch remembered {
        case .added: return Contact(connection: connection, isFirst: true)
        case .wasKnown: return Contact(connection: connection, isFirst: false)
        case .isAnother(let known):
            await connection.close()
            throw .relayKeyChanged(address, known: known, found: connection.pin)
        }
    }
}
