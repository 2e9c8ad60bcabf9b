import KithWire
import Testing

@testable import KithCore

@Suite("Relay directory")
struct RelayDirectoryTests {
    private var step = Step()
    private var relays = RelayDirectory()

    private func point(_ pass: String? = nil, port: Int = 4433) throws -> RelayPoint {
        try .sample(port: port, pass: pass)
    }

    private var connections: [RelayID] {
        step.output.effects.compactMap { if case .connect(let id, _) = $0 { id } else { nil } }
    }

    @Test("a letter or a contact card does not set the pass of a known relay, but an opened invite does")
    mutating func passIsNotPlanted() throws {
        let id = relays.id(for: try point(), in: &step)
        #expect(relays.id(for: try point("theirs"), in: &step) == id)
        #expect(relays.sorted.map(\.point.pass) == [nil])
        #expect(relays.id(opened: try point("theirs"), in: &step) == id)
        #expect(relays[id] == (try point("theirs")))
    }

    @Test("an opened invite does not replace a pass, but a relay that the user names does")
    mutating func passIsKept() throws {
        let id = relays.id(given: try point("mine"), in: &step)
        #expect(relays.id(opened: try point("theirs"), in: &step) == id)
        #expect(relays[id] == (try point("mine")))
        #expect(relays.id(given: try point("theirs"), in: &step) == id)
        #expect(relays[id] == (try point("theirs")))
        #expect(relays.id(given: try point(), in: &step) == id)
        #expect(relays[id] == (try point("theirs")))
    }

    @Test("a relay is connected to once, and again when its pass changes")
    mutating func connects() throws {
        let id = relays.id(for: try point(), in: &step)
        relays.keepConnected(to: id, in: &step)
        #expect(connections == [id])
        try relays.setPass(try point("new"), in: &step)
        #expect(connections == [id, id])
        let unknown = try point("new", port: 4434)
        #expect(throws: KithError.notFound("127.0.0.1:4434")) { try relays.setPass(unknown, in: &step) }
    }

    @Test("only a relay that the profile keeps connected counts as connected")
    mutating func keptConnected() throws {
        relays.load(RelayID(rawValue: 4), try point())
        #expect(!relays.didConnect(RelayID(rawValue: 4)) && !relays.isConnected(RelayID(rawValue: 4)))
        relays.keepConnected(to: RelayID(rawValue: 4), in: &step)
        #expect(relays.didConnect(RelayID(rawValue: 4)) && relays.connected == [RelayID(rawValue: 4)])
        relays.didDisconnect(RelayID(rawValue: 4))
        #expect(relays.connected.isEmpty)
    }

    @Test("a full relay is reported once, and once more when it has room again")
    mutating func room() throws {
        let id = relays.id(for: try point(), in: &step)
        let full = Result<Reply, RelayError>.failure(RelayError(.full, "full"))
        #expect(relays.noteRoom(at: id, .success(.done)) == nil)
        #expect(relays.noteRoom(at: id, full) == .full)
        #expect(relays.noteRoom(at: id, full) == nil)
        #expect(relays.noteRoom(at: id, .failure(RelayError(.tooFast, "fast"))) == nil)
        #expect(relays.noteRoom(at: id, .success(.done)) == .connected)
        // Only one inbox is full, not the relay.
        #expect(relays.noteRoom(at: id, .failure(RelayError(.full, "full", detail: 512))) == nil)
    }
}
