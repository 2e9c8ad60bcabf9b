import KithCore
import KithWire

extension Profile {
    /// The relay at an address, with the key that it must have.
    ///
    /// A relay that this profile uses already is returned as it is known, without asking it. Otherwise the relay is connected to: the
    /// key of one that is met for the first time is remembered, and one that has another key than before is refused.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT`.
    ///   - pin: the key that the relay must have, if it is known otherwise.
    ///   - pass: the pass that the relay wants, if any.
    ///   - known: where the keys of relays are remembered: for all profiles of this user, if nothing else is given.
    /// - Throws: ``KithError/notAnAddress(_:)``, ``KithError/relayKeyChanged(_:known:found:)``, ``KithError/relay(_:)``,
    ///   ``KithError/file(_:)``.
    public func relay(
        _ address: String, pin: RelayPin? = nil, pass: RelayPass? = nil, known: KnownRelays = KnownRelays()
    ) async throws(KithError) -> RelayPoint {
        guard let place = RelayAddress(address) else { throw .notAnAddress(address) }
        if let used = relays().last(where: { $0.relay.address == place && (pin ?? $0.relay.pin) == $0.relay.pin }) {
            return RelayPoint(address: place, pin: used.relay.pin, pass: pass ?? used.relay.pass)
        }
        let contact = try await known.connect(to: place, pin: pin, pass: pass)
        await contact.connection.close()
        return RelayPoint(address: place, pin: contact.connection.pin, pass: pass)
    }
}
