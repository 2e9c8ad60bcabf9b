import KithSimulation
import KithWire
import MLS
import Testing

@testable import KithCore

@Suite("Conversation machine")
struct ConversationMachineTests {
    private var device: DeviceState
    private var machine: ConversationMachine
    private let relay: RelayID

    init() throws {
        device = try .sample()
        relay = try device.connectSample()
        let (record, group) = try NewConversation(at: relay, title: "group", []).make(in: device)
        machine = ConversationMachine(id: ConversationID(rawValue: 1), record: record)
        try machine.begin(group, adding: [], Ticket(CommandID(rawValue: 1)), in: &device)
        _ = device.step.finish()
    }

    /// The names of the requests since the last call.
    private mutating func requests() -> [String] {
        device.step.finish().effects.compactMap { effect in
            switch effect {
            case .request(_, _, .create): "create"
            case .request(_, _, .present): "present"
            case .request(_, _, .append): "append"
            case .request(_, _, .turn): "turn"
            case .request: "another"
            case .follow: "follow"
            case .unfollow: "unfollow"
            default: nil
            }
        }
    }

    private mutating func say(_ text: String) throws {
        let text = OutgoingMessage(id: .random(), .text(MessageText(text)))
        try machine.send(text, Ticket(CommandID(rawValue: 2)), in: &device)
    }

    private mutating func startFollow(firstSeq: UInt64 = 1, lastSeq: UInt64 = 0) throws {
        let tag = try #require(machine.sync.following?.tag)
        let place = FollowPlace(epoch: machine.record.epoch, firstSeq: firstSeq, lastSeq: lastSeq)
        try machine.handle(.followStarted(tag, place), in: &device)
    }

    @Test("opens its channel once per connection, and creates it until the relay has it")
    mutating func opens() throws {
        try machine.handle(.disconnected(relay), in: &device)
        #expect(requests() == ["unfollow"])
        try machine.handle(.connected(relay), in: &device)
        #expect(requests() == ["create", "present", "follow"])
        try machine.handle(.connected(relay), in: &device)
        #expect(requests().isEmpty)
        try machine.handle(.answered(.createChannel, .success(.done)), in: &device)
        try machine.handle(.disconnected(relay), in: &device)
        _ = requests()
        try machine.handle(.connected(relay), in: &device)
        #expect(requests() == ["present", "follow"])
    }

    @Test("is live once it has every entry that the relay had")
    mutating func catchesUp() throws {
        try startFollow(lastSeq: 1)
        #expect(!machine.sync.isLive)
        try machine.handle(.disconnected(relay), in: &device)
        try machine.handle(.connected(relay), in: &device)
        try startFollow()
        #expect(machine.sync.isLive)
    }

    @Test("stops if the log does not continue at its place")
    mutating func brokenLog() throws {
        try startFollow(firstSeq: 2, lastSeq: 1)
        #expect(machine.record.status == .stopped(seq: 1, reason: .brokenLog))
    }

    @Test(
        "stops if the relay refuses for good, and retries otherwise",
        arguments: [
            (RelayError.Code.denied, ConversationStatus.stopped(seq: 1, reason: .denied)), (.unavailable, .active),
        ])
    mutating func refused(code: RelayError.Code, status: ConversationStatus) throws {
        try machine.handle(.answered(.createChannel, .failure(RelayError(code, "", retryAfterMs: 700))), in: &device)
        #expect(machine.record.status == status)
        guard status == .active else { return }
        #expect(machine.sync.retryAt == device.now + 700)
        #expect(machine.due(in: device) == [device.now + 700])
    }

    @Test("stores a text, and sends nothing while it has no other member")
    mutating func queues() throws {
        try startFollow()
        try say("hello")
        let output = device.step.finish()
        #expect(machine.outbox.items.count == 1)
        #expect(!output.effects.contains { if case .request = $0 { true } else { false } })
        #expect(output.effects.contains { if case .finish = $0 { true } else { false } })
    }

    @Test("forgets only the connection when it is lost")
    mutating func disconnects() throws {
        try startFollow()
        try say("hello")
        try machine.handle(.disconnected(relay), in: &device)
        let isOffline = if case .offline(nil) = machine.sync { true } else { false }
        #expect(isOffline)
        #expect(machine.outbox.items.count == 1 && machine.record.status == .active)
    }

    @Test("ignores entries of a follow that has ended")
    mutating func staleFollow() throws {
        let tag = try #require(machine.sync.following?.tag)
        try startFollow()
        try machine.handle(.disconnected(relay), in: &device)
        let entry = Entry(seq: 1, epoch: 0, kind: .message, receivedAtMs: 1, id: .random(), payload: [1])
        try machine.handle(.followed(tag, epoch: 0, .entries([entry])), in: &device)
        #expect(machine.record.lastSeq == 0)
    }
}
