import KithWire
import Testing

@testable import KithCore

@Suite("Delivery queue")
struct DeliveryQueueTests {
    private var step = Step()
    private var queue = DeliveryQueue()
    private var relays: RelayDirectory
    private let relay: RelayID
    private let refused = Result<Reply, RelayError>.failure(RelayError(.denied, "denied"))

    init() throws {
        (relays, relay) = try RelayDirectory.connected(in: &step)
    }

    private func delivery(
        parts: Int = 1, after: UInt64? = nil, isParcel: Bool = false, bytes: Int = 3
    ) -> ChannelDelivery {
        let token = Token.random()
        return ChannelDelivery(
            relay: relay, channel: .random(), appendToken: token,
            access: isParcel
                ? Access(read: Grant(for: token), append: Grant(for: token), turn: Grant(for: token)) : nil,
            parts: (0..<parts).map { _ in .init(id: .random(), payload: [UInt8](repeating: 1, count: bytes)) },
            after: after, conversation: ConversationID(rawValue: 1), intent: 1)
    }

    /// Ends the step and returns the kinds of its requests.
    private mutating func requests() -> [String] {
        step.finish().effects.compactMap { effect in
            guard case .request(_, _, let request) = effect else { return nil }
            return switch request {
            case .create: "create"
            case .present: "present"
            case .append: "append"
            default: "another"
            }
        }
    }

    private mutating func add(_ delivery: ChannelDelivery, at now: UInt64 = 0) -> UInt64 {
        let number = queue.add(delivery, in: &step)
        #expect(queue.open(number, relays, at: now, in: &step).isEmpty)
        return number
    }

    private mutating func answer(
        _ number: UInt64, _ part: EntryID?, _ result: Result<Reply, RelayError>, at now: UInt64 = 0
    ) -> [String] {
        queue.didAnswer((number, part.map(DeliveryRequest.part) ?? .present, result), relays, at: now, in: &step).map {
            event in
            switch event {
            case .waits(_, let obstacle): "waits: \(obstacle)"
            case .ended(_, nil, _): "done"
            case .ended(_, let error?, let mayExist): "\(error), \(mayExist)"
            }
        }
    }

    @Test("a parcel's channel is created first, and the delivery ends when the relay has all parts")
    mutating func parcel() {
        let parcel = delivery(parts: 2, isParcel: true)
        let number = add(parcel)
        #expect(requests() == ["create", "present", "append", "append"])
        #expect(queue.open(number, relays, at: 0, in: &step).isEmpty && requests().isEmpty)
        for part in [nil, nil, parcel.parts[0].id] { #expect(answer(number, part, .success(.done)).isEmpty) }
        #expect(queue.count == 1 && queue.delivery(to: parcel.channel) != nil)
        #expect(answer(number, parcel.parts[1].id, .success(.done)) == ["done"])
        #expect(queue.count == 0 && answer(number, nil, .success(.done)).isEmpty)
    }

    @Test("a delivery that refers to a parcel is sent after the parcel has arrived")
    mutating func order() {
        let parcel = delivery(isParcel: true)
        let first = add(parcel)
        _ = requests()
        _ = add(delivery(after: first))
        #expect(requests().isEmpty)
        #expect(answer(first, parcel.parts[0].id, .success(.done)) == ["done"])
        #expect(requests() == ["present", "append"])
    }

    @Test("a busy relay is retried after pauses that double, and the user is told once")
    mutating func retries() {
        let letter = delivery()
        let number = add(letter)
        let busy = Result<Reply, RelayError>.failure(RelayError(.tooFast, "fast"))
        var (now, pauses, told): (UInt64, [UInt64], [String]) = (0, [], [])
        for _ in 0..<4 {
            told += answer(number, nil, busy, at: now)
            told += answer(number, letter.parts[0].id, refused, at: now)
            #expect(queue.ready(at: now).isEmpty)
            pauses.append((queue.due(relays).first ?? 0) - now)
            now = queue.due(relays).first ?? now
            #expect(queue.ready(at: now) == [number])
            #expect(queue.open(number, relays, at: now, in: &step).isEmpty)
        }
        #expect(pauses == [2_000, 4_000, 8_000, 16_000])
        #expect(told == ["waits: tooFast"])
        #expect(answer(number, letter.parts[0].id, .success(.done), at: now) == ["done"])
    }

    @Test("a full inbox is reported at once, and a closed inbox ends the delivery")
    mutating func full() {
        let letter = delivery()
        let number = add(letter)
        let full = Result<Reply, RelayError>.failure(RelayError(.full, "full", detail: 512))
        #expect(answer(number, letter.parts[0].id, full) == ["waits: inboxFull"])
        #expect(answer(number, nil, .success(.done)).isEmpty)
        let again = add(delivery())
        #expect(answer(again, nil, refused) == ["\(KithError.inviteUsed), false"])
    }

    @Test("after a lost answer, the relay may have the delivery")
    mutating func lost() {
        let number = add(delivery())
        queue.resetConnection(relay)
        _ = requests()
        #expect(queue.open(number, relays, at: 0, in: &step).isEmpty)
        #expect(requests() == ["present", "append"])
        #expect(answer(number, nil, refused) == ["\(KithError.inviteUsed), true"])
    }

    @Test("a part too long for any relay ends the delivery before anything is sent")
    mutating func tooLong() {
        let number = queue.add(delivery(bytes: WireLimits.payload + 1), in: &step)
        let events = queue.open(number, relays, at: 0, in: &step)
        #expect(events.count == 1 && requests().isEmpty && queue.count == 0)
    }

    @Test("nothing is sent without a connection or before a pause has ended")
    mutating func early() {
        let number = add(delivery())
        _ = requests()
        for id in [nil, queue.all.first?.parts.first?.id] {
            #expect(answer(number, id, .failure(RelayError(.tooFast, "fast"))).isEmpty)
        }
        #expect(queue.open(number, relays, at: 1_999, in: &step).isEmpty)
        #expect(requests().isEmpty)
        relays.didDisconnect(relay)
        #expect(queue.open(number, relays, at: 2_000, in: &step).isEmpty)
        #expect(requests().isEmpty && queue.due(relays).isEmpty)
        #expect(relays.didConnect(relay) == true)
        #expect(queue.open(number, relays, at: 2_000, in: &step).isEmpty)
        #expect(requests() == ["present", "append"])
    }

    @Test("neither a relay that is busy for a moment nor a waiting parcel is reported")
    mutating func untold() {
        let (letter, parcel) = (add(delivery()), add(delivery(isParcel: true)))
        let full = Result<Reply, RelayError>.failure(RelayError(.full, "full"))
        #expect(answer(letter, nil, .failure(RelayError(.unavailable, "restarting"))).isEmpty)
        #expect(answer(parcel, nil, full).isEmpty)
        #expect(answer(letter, nil, full) == ["waits: relayFull"])
        #expect(answer(letter, nil, full).isEmpty)
    }

    @Test("only the chosen deliveries are dropped")
    mutating func dropped() {
        let (kept, gone) = (delivery(), delivery())
        _ = add(kept)
        _ = add(gone)
        queue.drop({ $0.channel == gone.channel }, in: &step)
        #expect(queue.all.map(\.channel) == [kept.channel])
        #expect(!queue.contains { $0.channel == gone.channel })
    }
}
