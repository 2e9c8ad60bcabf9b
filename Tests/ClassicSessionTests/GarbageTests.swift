import TestSupport
import Testing

@testable import ClassicSession

@Suite("Classic session: garbage")
struct GarbageTests {
    /// Changes bytes of a frame, cuts it, adds to it, or joins two frames.
    private func mutate(_ frame: [UInt8], with other: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = frame
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = random.next()
            }
        case 1: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
        case 2: bytes += (0..<Int.random(in: 1...40, using: &random)).map { _ in random.next() }
        case 3:
            let cut = Int.random(in: 0...min(bytes.count, other.count), using: &random)
            bytes = Array(bytes[..<cut]) + Array(other[cut...])
        default: bytes = (0..<Int.random(in: 0...600, using: &random)).map { _ in random.next() }
        }
        return bytes
    }

    @Test("random and mutated frames at every stage do no harm: the genuine ones still lead to an open session")
    func garbage() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var recorded = try TwoUsers.open()
        for text in ["one", "two"] { try recorded.say(text, .alice) }
        let old = recorded.log.map(\.bytes)

        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.cursor[.bob] = users.log.count
        users.deliver { entry in
            // A mutated offer can be the valid offer of a new peer, and a session stays with the first peer that comes. So
            // before the offer there is only noise, and mutations of frames meant for others.
            let noise = (0..<300).map { _ in
                mutate(entry.isOffer ? old[1] : entry.bytes, with: old.randomElement(using: &random) ?? [], &random)
            }
            return noise.filter { $0 != entry.bytes } + [entry.bytes]
        }
        #expect(try users.session(.alice).isOpen && users.session(.bob).isOpen, "seed \(seed)")

        for round in 0..<20 {
            let frame = try users.say("message \(round)", .alice)
            for _ in 0..<100 {
                let garbage = mutate(frame, with: old.randomElement(using: &random) ?? [], &random)
                guard garbage != frame else { continue }
                let events = users.hand(garbage, to: .bob)
                #expect(!events.contains { $0.isMessage }, "seed \(seed), round \(round)")
            }
            #expect(
                users.hand(frame, to: .bob) == [.message(number: UInt64(round + 1), text: "message \(round)")],
                "seed \(seed), round \(round)")
        }
    }

    @Test("every frame type decodes to the frame that was encoded, and no prefix of one is a frame")
    func frameRoundTrip() throws {
        var users = try TwoUsers.open()
        try users.say("one", .bob)
        try users.leave(.bob)
        for entry in users.log {
            #expect(try Frame(decoding: entry.bytes).encoded == entry.bytes)
            for length in entry.bytes.indices {
                #expect((try? Frame(decoding: entry.bytes[..<length])) == nil)
            }
        }
        #expect(Set(users.log.map { $0.bytes[1] }) == [1, 2, 3, 4, 5, 6])
    }

    @Test("a frame read from the middle of a buffer is the same frame")
    func slices() throws {
        var users = try TwoUsers.open()
        let frame = try users.say("in the middle", .alice)
        let buffer = [0xff, 0xff] + frame + [0xff]
        let outputs = users.sessions[.bob]?.receive(buffer[2..<(2 + frame.count)]) ?? []
        #expect(outputs.plainEvents == [.message(number: 1, text: "in the middle")])
    }
}
