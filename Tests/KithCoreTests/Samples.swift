import KithSimulation
import KithWire
import MLS
import Testing

@testable import KithCore

/// The result of a step is another than the test is about.
struct Unexpected: Error {}

extension RelayPoint {
    /// A relay on this machine.
    ///
    /// - Parameter pin: the byte that fills its pin.
    static func sample(port: Int = 4433, pin: UInt8 = 8, pass: String? = nil) throws -> RelayPoint {
        RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:\(port)")),
            pin: try #require(RelayPin([UInt8](repeating: pin, count: 32))),
            pass: try pass.map { try #require(RelayPass($0)) })
    }
}

extension InboxAddress {
    /// An inbox of an account, at a relay whose pin is filled with one byte.
    static func sample(of account: AccountKey, pin: UInt8 = 8) throws -> InboxAddress {
        InboxAddress(
            relay: try .sample(pin: pin), channel: .random(), appendToken: .random(),
            sealKey: InboxSealKey(random: .system), account: account.fingerprint)
    }
}

extension RelayDirectory {
    /// A directory with one connected relay.
    static func connected(in step: inout Step) throws -> (relays: RelayDirectory, id: RelayID) {
        var relays = RelayDirectory()
        let id = relays.id(for: try .sample(), in: &step)
        #expect(relays.didConnect(id) == true)
        return (relays, id)
    }
}

extension DeviceState {
    /// A device whose store holds only its identity.
    static func sample(now: UInt64 = 1_750_000_000_000) throws -> DeviceState {
        let store = MemoryProfileStore()
        try store.commit(
            ProfileRecord.new(name: "alice", deviceName: "d", suite: .x25519AES128SHA256Ed25519, now: now))
        return try DeviceState(
            store, clocks: Clocks(wall: now, steady: 0), folding: NameFolding { $0 }, isForReading: false)
    }

    /// Connects the device to a relay.
    mutating func connectSample() throws -> RelayID {
        let id = relays.id(for: try .sample(), in: &step)
        #expect(didConnect(id, timeMs: now) == true)
        return id
    }
}
