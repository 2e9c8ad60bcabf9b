import KithWire
import Testing

@testable import KithCore

extension RelayPoint {
    /// A relay on this machine.
    ///
    /// - Parameter pin: the byte that its pin consists of.
    static func sample(port: Int = 4433, pin: UInt8 = 8, pass: String? = nil) throws -> RelayPoint {
        RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:\(port)")),
            pin: try #require(RelayPin([UInt8](repeating: pin, count: 32))),
            pass: try pass.map { try #require(RelayPass($0)) })
    }
}

extension InboxAddress {
    /// An inbox of an account, at a relay with a pin of one byte.
    static func sample(of account: AccountKey, pin: UInt8 = 8) throws -> InboxAddress {
        InboxAddress(
            relay: try .sample(pin: pin), channel: .random(), appendToken: .random(),
            sealKey: InboxSealKey(random: .system), account: account.fingerprint)
    }
}

extension RelayDirectory {
    /// A directory with one relay, which is connected.
    static func connected(in step: inout Step) throws -> (relays: RelayDirectory, id: RelayID) {
        var relays = RelayDirectory()
        let id = relays.id(for: try .sample(), in: &step)
        #expect(relays.didConnect(id) == true)
        return (relays, id)
    }
}
