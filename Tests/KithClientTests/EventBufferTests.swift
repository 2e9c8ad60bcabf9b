import KithWire
import Testing

@testable import KithClient
@testable import KithCore

@Suite("The buffer of unread events")
struct EventBufferTests {
    private static let conversation = ConversationID(rawValue: 1)

    private static func message(
        _ seq: UInt64?, _ text: String = "",
        by author: Message.Author = .contact(ContactID(rawValue: 1), name: "bob", .unverified),
        in conversation: ConversationID = conversation
    ) -> Message {
        Message(
            id: .random(), conversation: conversation, seq: seq, author: author, body: .text(text), sentAtMs: 0,
            replyTo: nil, delivery: nil, warnings: [])
    }

    private static func relay(_ state: RelayState, port: Int) throws -> KithEvent {
        let address = try #require(RelayAddress("127.0.0.1:\(port)"))
        return .relay(KnownRelay(address: address, pin: RelayPin(ofSubjectPublicKeyInfo: [1])), state)
    }

    private static let use = KithEvent.inviteUsed(InboxID(rawValue: 1), conversation)
    private static let text = String(repeating: "x", count: 60_000)
    private static let most = ClientLimits.unreadEvents / (ClientLimits.eventBytes + 60_000)

    /// Takes the waiting events.
    private static func takeAll(_ buffer: EventBuffer) async -> [KithEvent] {
        var events: [KithEvent] = []
        while case .event(let event) = await buffer.next() { events.append(event) }
        return events
    }

    /// Reads dropped messages from a log.
    private static func refill(_ buffer: EventBuffer, from log: [ConversationID: [Message]], page: Int) throws
        -> [UInt64]
    {
        var read: [UInt64] = []
        try buffer.refill { (dropped) throws(KithError) in
            #expect(dropped.takeSubjects() == nil)
            return try dropped.readMessages { (id, first) throws(KithError) in
                read.append(first)
                let rest = (log[id] ?? []).filter { $0.seq ?? 0 >= first }
                return (Array(rest.prefix(page)), rest.count > page ? rest[page].seq : nil)
            }.map { .message($0) }
        }
        return read
    }

    @Test("a subscriber that reads gets all events in order, and none from after the end")
    func inTime() async throws {
        let buffer = EventBuffer()
        let events = (1...UInt64(3_000)).map { KithEvent.inviteUsed(InboxID(rawValue: $0), Self.conversation) }
        for event in events { buffer.put(event) }
        buffer.finish()
        buffer.put(Self.use)
        #expect(await Self.takeAll(buffer) == events)
    }

    @Test("the bytes of waiting events are bounded, and every dropped message is read again once and in order")
    func dropped() async throws {
        let buffer = EventBuffer()
        var log: [Message] = []
        for seq in 1...UInt64(Self.most + 100) {
            log.append(Self.message(seq, Self.text))
            buffer.put(.message(log[log.count - 1]))
            #expect(buffer.count <= Self.most)
        }
        #expect(buffer.count == 0)
        var handedOut: [KithEvent] = []
        while handedOut.count < log.count {
            guard case .dropped = await buffer.next() else { break }
            #expect(try Self.refill(buffer, from: [Self.conversation: log], page: 64) == [UInt64(handedOut.count) + 1])
            // A message that comes meanwhile is read with the others.
            log.append(Self.message(UInt64(log.count) + 1))
            buffer.put(.message(log[log.count - 1]))
            for _ in 0..<buffer.count { if case .event(let event) = await buffer.next() { handedOut.append(event) } }
        }
        buffer.finish()
        handedOut += await Self.takeAll(buffer)
        #expect(handedOut == log.map { .message($0) })
    }

    @Test("events that nothing can replace wait while the others are read again")
    func kept() async throws {
        let buffer = EventBuffer()
        buffer.put(Self.use)
        for seq in 1...UInt64(Self.most + 1) { buffer.put(.message(Self.message(seq, Self.text))) }
        guard case .event(Self.use) = await buffer.next(), case .dropped = await buffer.next() else {
            Issue.record("the use of an invite is lost")
            return
        }
    }

    @Test("of events that nothing can replace, the oldest are dropped when they fill the buffer")
    func oldest() async throws {
        let buffer = EventBuffer()
        let most = ClientLimits.unreadEvents / ClientLimits.eventBytes
        let events = (0...UInt64(most)).map { KithEvent.inviteUsed(InboxID(rawValue: $0), Self.conversation) }
        for event in events { buffer.put(event) }
        buffer.finish()
        #expect(await Self.takeAll(buffer) == Array(events.suffix(most / 2)))
    }

    @Test("contacts, conversations and relays are remembered once, whatever happens to them")
    func subjects() async throws {
        let buffer = EventBuffer()
        let events = try (1...3).map { try Self.relay(.connecting, port: $0) }
        for _ in 0...ClientLimits.unreadEvents / ClientLimits.eventBytes { for event in events { buffer.put(event) } }
        buffer.finish()
        for event in events { buffer.put(event) }
        #expect(await Self.takeAll(buffer).isEmpty)
        var relays: Set<KnownRelay> = []
        try buffer.refill { (dropped) throws(KithError) in
            relays = dropped.takeSubjects()?.relays ?? []
            return events
        }
        #expect(relays.map(\.address.port).sorted() == [1, 2, 3])
        #expect(await Self.takeAll(buffer) == events)
    }

    @Test("a change of an own message is read again, and messages of others before it are not")
    func changes() throws {
        var dropped = DroppedEvents()
        // The last one is not in the log yet.
        let messages = [Self.message(3, by: .me), Self.message(6), Self.message(nil, by: .me)]
        let noted = messages.map { dropped.note(.message($0)) }
        #expect(noted == [true, true, true])
        let log = (1...8).map { Self.message(UInt64($0), by: $0 % 2 == 0 ? Self.message(1).author : .me) }
        var first: UInt64 = 0
        let read = try dropped.readMessages { (_, seq) throws(KithError) in
            first = seq
            return (log.filter { $0.seq ?? 0 >= seq }, nil)
        }
        #expect(first == 3)
        #expect(read.compactMap(\.seq) == [3, 5, 6, 7, 8])
        #expect(dropped.isEmpty)
    }

    @Test("a change of a message that was read already does not wait for the later ones")
    func absorbed() throws {
        var dropped = DroppedEvents()
        var absorbed = [dropped.absorb(.message(Self.message(5)))]
        dropped.addOthers(from: 5, in: Self.conversation)
        let messages = [
            Self.message(4, by: .me), Self.message(nil, by: .me), Self.message(5, in: ConversationID(rawValue: 2)),
            Self.message(5, by: .me), Self.message(6),
        ]
        absorbed += messages.map { dropped.absorb(.message($0)) } + [dropped.absorb(Self.use)]
        #expect(absorbed == [false, false, false, false, true, true, false])
    }

    @Test("of dropped changes of messages, the subscriber learns once in which conversations they were")
    func changesOfMessages() async throws {
        let buffer = EventBuffer()
        let other = ConversationID(rawValue: 2)
        for seq in 1...UInt64(Self.most + 1) {
            buffer.put(.messageChanged(Self.message(seq, Self.text), .edited))
            buffer.put(.messageChanged(Self.message(seq, in: other), .deleted))
        }
        guard case .dropped = await buffer.next() else {
            Issue.record("nothing was dropped")
            return
        }
        // A later change is covered by the same report.
        buffer.put(.messageChanged(Self.message(1), .deleted))
        var changed: Set<ConversationID> = []
        try buffer.refill { (dropped) throws(KithError) in
            changed = dropped.takeSubjects()?.changed ?? []
            return changed.sorted().map { .messagesChanged($0) }
        }
        #expect(changed == [Self.conversation, other])
        let last = KithEvent.messageChanged(Self.message(1), .expired)
        buffer.put(last)
        buffer.finish()
        #expect(await Self.takeAll(buffer) == [.messagesChanged(Self.conversation), .messagesChanged(other), last])
    }

    @Test("conversations take turns")
    func turns() throws {
        var dropped = DroppedEvents()
        let ids = [1, 2].map { ConversationID(rawValue: $0) }
        for id in ids { dropped.addOthers(from: 1, in: id) }
        var read: [ConversationID] = []
        while !dropped.isEmpty {
            _ = try dropped.readMessages { (id, seq) throws(KithError) in
                read.append(id)
                return ([], seq < 3 ? seq + 1 : nil)
            }
        }
        #expect(read == [ids[0], ids[1], ids[0], ids[1], ids[0], ids[1]])
    }
}
