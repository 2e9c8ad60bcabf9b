import TestSupport
import Testing

@testable import ClassicSession

@Suite("Classic handshake")
struct HandshakeTests {
    @Test("two users meet: each has the other's key and the same session, and can write and read")
    func wholeRun() throws {
        var users = try TwoUsers()
        users.start(.alice)
        users.deliver()
        #expect(users.told(.alice) == [.waiting])
        users.start(.bob)
        users.deliver()

        let alice = try #require(users.established(.alice))
        let bob = try #require(users.established(.bob))
        #expect(alice.sessionID == bob.sessionID)
        #expect(alice.peerKey == (try TestKeys.bob.get().fingerprint))
        #expect(bob.peerKey == (try TestKeys.alice.get().fingerprint))
        #expect(alice.ownKey == bob.peerKey && !alice.wasExpected)

        for (user, text) in [(User.alice, "hello"), (.bob, "hi! 👋🏽"), (.bob, ""), (.alice, "line 1\nline 2")] {
            try users.say(text, user)
        }
        users.deliver()
        #expect(users.texts(.bob) == ["hello", "line 1\nline 2"])
        #expect(users.texts(.alice) == ["hi! 👋🏽", ""])
    }

    @Test("a user encrypts with the message keys that the other user made")
    func keysCross() throws {
        let users = try TwoUsers.open()
        let alice = try #require(users.session(.alice).opened)
        let bob = try #require(users.session(.bob).opened)
        #expect(alice.sendKeys == bob.receiveKeys)
        #expect(alice.receiveKeys == bob.sendKeys)
        #expect(alice.sendKeys != alice.receiveKeys)
    }

    @Test("every run has its own session, nonce and message keys, also with the same identities")
    func freshness() throws {
        let one = try TwoUsers.open()
        let other = try TwoUsers.open()
        #expect(one.established(.alice)?.sessionID != other.established(.alice)?.sessionID)
        #expect(try one.session(.alice).offer.nonce != other.session(.alice).offer.nonce)
        #expect(try one.session(.alice).opened?.receiveKeys != other.session(.alice).opened?.receiveKeys)
    }

    @Test("both start at the same moment and read each other's hello")
    func simultaneousStart() throws {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.deliver()
        #expect(users.established(.alice) != nil && users.established(.bob) != nil)
        #expect(users.log.count == 8, "hello, key, proof and wrapped key of each, and nothing twice")
    }

    @Test(
        "a user who comes late meets the one who waits, reading only what is newer than their own hello",
        arguments: User.allCases)
    func lateJoiner(late: User) throws {
        var users = try TwoUsers()
        users.start(late.other)
        users.deliver()
        users.start(late)
        users.cursor[late] = users.log.count
        users.deliver()
        #expect(users.established(.alice) != nil && users.established(.bob) != nil)
        #expect(users.log.count == 8)
    }

    @Test("a latecomer may read the whole channel, old runs included", arguments: User.allCases)
    func oldRunsInTheLog(late: User) throws {
        var old = try TwoUsers.open()
        try old.say("yesterday's words", .alice)
        old.deliver()
        try old.leave(.bob)

        var users = try TwoUsers()
        users.log = old.log
        users.start(late.other)
        users.deliver()
        users.start(late)
        users.deliver()
        #expect(users.established(.alice) != nil && users.established(.bob) != nil)
        try users.say("today's words", .alice)
        users.deliver()
        #expect(users.texts(.bob) == ["today's words"])
        for user in User.allCases {
            #expect(users.told(user).allSatisfy { if case .dropped(let why) = $0 { why == .otherRun } else { true } })
        }
    }

    @Test("frames of an old run that appear in the middle of a new one change nothing")
    func oldRunReplayed() throws {
        var old = try TwoUsers.open()
        try old.say("yesterday's words", .alice)
        var users = try TwoUsers.open()
        let before = try users.session(.bob).opened?.inbound
        for entry in old.log {
            let events = users.hand(entry.bytes, to: .bob)
            #expect(events == [.dropped(.otherRun)] || events == [.peerStartedAgain], "\(events)")
        }
        #expect(try users.session(.bob).opened?.inbound == before)
        try users.say("today's words", .alice)
        users.deliver()
        #expect(users.texts(.bob) == ["today's words"])
    }

    @Test("a peer that starts again is reported once, the session stays, and a new session meets the new run")
    func restart() throws {
        var users = try TwoUsers.open()
        users.sessions[.bob] = try newSession(.bob)
        users.cursor[.bob] = users.log.count
        let hello = users.start(.bob)
        users.deliver()
        #expect(users.told(.alice).last == .peerStartedAgain)
        #expect(users.hand(hello, to: .alice) == [.dropped(.otherRun)])
        #expect(try users.session(.alice).isOpen)

        users.events = [:]
        users.sessions[.alice] = try newSession(.alice)
        users.cursor[.alice] = users.log.count
        users.start(.alice)
        users.deliver()
        #expect(users.established(.alice) != nil && users.established(.bob) != nil)
    }

    @Test("the hello of the peer's present run is no new start, even if it comes last")
    func lateHello() throws {
        var users = try TwoUsers()
        users.start(.alice)
        let hello = users.start(.bob)
        users.deliver { $0.bytes == hello ? [] : [$0.bytes] }
        #expect(users.established(.alice) != nil && users.established(.bob) != nil)
        #expect(users.hand(hello, to: .alice) == [.dropped(.otherRun)])
        #expect(users.hand(hello, to: .alice) == [.dropped(.otherRun)])
    }

    @Test("a peer that starts again in the middle of the handshake is reported")
    func restartInHandshake() throws {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.deliver { $0.isProof ? [] : [$0.bytes] }
        #expect(!(try users.session(.alice).isOpen))
        users.sessions[.bob] = try newSession(.bob)
        users.cursor[.bob] = users.log.count
        users.start(.bob)
        users.deliver()
        #expect(users.told(.alice).last == .peerStartedAgain)
    }

    @Test("a hello is answered once, and a flood of hellos is not answered for ever")
    func helloFlood() throws {
        var alice = try newSession(.alice)
        _ = alice.start()
        var generator = SeededGenerator(seed: 1)
        var answers = 0
        for _ in 0..<(ClassicLimits.rememberedRuns + 50) {
            let hello = Frame(sender: .second, from: RunID(from: &generator), to: nil, body: .hello).encoded
            answers += alice.receive(hello[...]).frames.count
            #expect(alice.receive(hello[...]).frames.isEmpty)
        }
        #expect(answers == ClassicLimits.rememberedRuns)
    }

    @Test("repeated and reordered steps of a handshake are dropped, and the genuine ones still lead to the end")
    func stepsRepeatedAndReordered() throws {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.deliver { [$0.bytes, $0.bytes] }
        #expect(users.established(.alice) != nil && users.established(.bob) != nil)
        #expect(users.told(.alice).contains(.dropped(.outOfStep)))

        var late = try TwoUsers()
        late.start(.alice)
        late.start(.bob)
        var held: [TwoUsers.Entry: [UInt8]] = [:]
        late.deliver { entry in
            guard entry.isProof else { return [entry.bytes] }
            held[entry] = entry.bytes
            return []
        }
        #expect(held.count == 2)
        for (entry, bytes) in held { late.hand(bytes, to: entry.from.other) }
        late.deliver()
        #expect(late.established(.alice) != nil && late.established(.bob) != nil)
    }

    @Test("every step is explained, in order, with the attack that it stands against")
    func explained() throws {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.cursor[.bob] = users.log.count
        users.deliver()
        let explanations = users.events[.alice, default: []].compactMap {
            if case .explained(let explanation) = $0 { explanation } else { nil }
        }
        #expect(
            explanations.map(\.action) == [
                .note, .generated, .generated, .generated, .sent,  // limits, key, run, nonce, hello
                .received, .sent,  // hello, public key
                .received, .checked, .note, .sent,  // public key, acceptable, not expected, proof
                .checked, .generated, .sent,  // proof, message keys, wrapped
                .checked, .note,  // wrapped, ready
            ])
        #expect(explanations.allSatisfy { !$0.text.isEmpty && $0.peer.name == "bob" })
        #expect(explanations.filter { $0.action == .checked }.allSatisfy { $0.against != nil })
    }

    @Test("before the end of the handshake, nothing can be sent and leaving is silent")
    func notEstablished() throws {
        var alice = try newSession(.alice)
        #expect(throws: ClassicSendError.notEstablished) { try alice.send("too early") }
        #expect(alice.receive([1, 1, 2][...]) == [.event(.dropped(.malformed))])
        #expect(!alice.start().isEmpty)
        #expect(alice.start().isEmpty)
        #expect(throws: ClassicSendError.notEstablished) { try alice.send("too early") }
        #expect(alice.bye() == [.event(.ended(.left))])
        #expect(alice.bye().isEmpty && alice.connectionLost().isEmpty && alice.start().isEmpty)
        #expect(throws: ClassicSendError.ended) { try alice.send("too late") }
    }
}
