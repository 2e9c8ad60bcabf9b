import Testing

@testable import ClassicSession

@Suite("Classic session: messages")
struct MessageTests {
    @Test("a replayed message is reported and not shown again")
    func replayed() throws {
        var users = try TwoUsers.open()
        let one = try users.say("one", .alice)
        try users.say("two", .alice)
        users.deliver()
        #expect(users.hand(one, to: .bob) == [.dropped(.repeated(number: 1))])
        #expect(users.texts(.bob) == ["one", "two"])
    }

    @Test("reordered messages: the gap is reported, and late messages are dropped")
    func reordered() throws {
        var users = try TwoUsers.open()
        let frames = try ["one", "two", "three"].map { try users.say($0, .alice) }
        #expect(users.hand(frames[2], to: .bob) == [.missing(1...2), .message(number: 3, text: "three")])
        #expect(users.hand(frames[0], to: .bob) == [.dropped(.repeated(number: 1))])
        #expect(users.hand(frames[1], to: .bob) == [.dropped(.repeated(number: 2))])
    }

    @Test("a dropped message is reported when the next one comes")
    func droppedOnTheWay() throws {
        var users = try TwoUsers.open()
        let frames = try (1...5).map { try users.say("\($0)", .alice) }
        users.hand(frames[0], to: .bob)
        #expect(users.hand(frames[2], to: .bob) == [.missing(2...2), .message(number: 3, text: "3")])
        #expect(users.hand(frames[3], to: .bob) == [.message(number: 4, text: "4")])
    }

    @Test("messages dropped just before the goodbye are reported by it")
    func droppedBeforeBye() throws {
        var users = try TwoUsers.open()
        _ = try users.say("never arrives", .alice)
        let bye = try users.leave(.alice)
        #expect(users.hand(bye, to: .bob) == [.missing(1...1), .ended(.goodbye)])
    }

    @Test("a message with any byte changed is not shown, and the genuine one still is")
    func everyByte() throws {
        var users = try TwoUsers.open()
        let frame = try users.say("every byte of this matters", .alice)
        for position in frame.indices {
            for bit: UInt8 in [0x01, 0x80] {
                var altered = frame
                altered[position] ^= bit
                let events = users.hand(altered, to: .bob)
                #expect(events.count == 1 && !(events.first?.isMessage ?? true), "byte \(position): \(events)")
                if position >= frame.count - 32 { #expect(events == [.dropped(.altered(number: 1))]) }
            }
        }
        #expect(users.hand(frame, to: .bob) == [.message(number: 1, text: "every byte of this matters")])
    }

    @Test("a message cut short at any length, or with bytes added, is not shown, and the genuine one still is")
    func everyLength() throws {
        var users = try TwoUsers.open()
        let frame = try users.say("cut me", .alice)
        for length in 0..<frame.count {
            #expect(users.hand(Array(frame[..<length]), to: .bob) == [.dropped(.malformed)])
        }
        #expect(users.hand(frame + [0], to: .bob) == [.dropped(.malformed)])
        let shorter = try rewriting(frame) {
            guard case .sealed(var sealed) = $0.body else { return }
            sealed.ciphertext = []
            $0.body = .sealed(sealed)
        }
        #expect(users.hand(shorter, to: .bob) == [.dropped(.altered(number: 1))])
        #expect(users.hand(frame, to: .bob) == [.message(number: 1, text: "cut me")])
    }

    @Test("an altered message is not reported as missing too when the next one comes")
    func alteredThenNext() throws {
        var users = try TwoUsers.open()
        let frames = try (1...6).map { try users.say("\($0)", .alice) }
        var altered = frames[1]
        altered[altered.count - 1] ^= 1
        users.hand(frames[0], to: .bob)
        #expect(users.hand(altered, to: .bob) == [.dropped(.altered(number: 2))])
        #expect(users.hand(frames[2], to: .bob) == [.message(number: 3, text: "3")])
        var another = frames[4]
        another[another.count - 1] ^= 1
        #expect(users.hand(another, to: .bob) == [.dropped(.altered(number: 5))])
        #expect(users.hand(frames[5], to: .bob) == [.missing(4...4), .message(number: 6, text: "6")])
        #expect("\(Dropped.altered(number: 4))" == "message 4 was altered on the way; dropped")
    }

    @Test(
        "the number that an altered message claims is repeated to the user if it can be one of the next 64",
        arguments: [(0, nil), (1, 1), (64, 64), (65, nil)] as [(UInt64, UInt64?)])
    func believedNumbers(claimed: UInt64, repeated: UInt64?) throws {
        var users = try TwoUsers.open()
        let altered = try rewriting(users.say("one", .alice)) {
            guard case .sealed(var sealed) = $0.body else { return }
            sealed.number = claimed
            sealed.mac[0] ^= 1
            $0.body = .sealed(sealed)
        }
        #expect(users.hand(altered, to: .bob) == [.dropped(.altered(number: repeated))])
    }

    @Test("a reflected message is recognised, even with its header turned round")
    func reflected() throws {
        var users = try TwoUsers.open()
        let frame = try users.say("mine", .alice)
        #expect(users.hand(frame, to: .alice) == [.dropped(.reflected)])
        let alice = try users.session(.alice).run
        let bob = try users.session(.bob).run
        let turned = try rewriting(frame) {
            $0.sender = .second
            $0.from = bob
            $0.to = alice
        }
        #expect(users.hand(turned, to: .alice) == [.dropped(.altered(number: 1))])
    }

    @Test("a message of another session with the same keys is refused, even with its header rewritten")
    func otherSession() throws {
        var old = try TwoUsers.open()
        let words = try old.say("yesterday's", .alice)
        var users = try TwoUsers.open()
        #expect(users.hand(words, to: .bob) == [.dropped(.otherRun)])
        let alice = try users.session(.alice).run
        let bob = try users.session(.bob).run
        let aimed = try rewriting(words) {
            $0.from = alice
            $0.to = bob
        }
        #expect(users.hand(aimed, to: .bob) == [.dropped(.altered(number: 1))])
    }

    @Test("a MAC is for one session, one side, one kind and one number, even under the same keys")
    func macContext() throws {
        let users = try TwoUsers.open()
        let open = try #require(users.session(.alice).opened)
        let context = DirectionKeys.Context(sessionID: open.sessionID, sender: .first, kind: .message, number: 1)
        let sealed = try open.sendKeys.seal([1], context, iv: .init(repeating: 1, count: 16))
        #expect(open.sendKeys.authenticate(sealed, context) != nil)
        var others = [context, context, context, context]
        others[0].sessionID = SessionID(bytes: .init(repeating: 0, count: 32))
        others[1].sender = .second
        others[2].kind = .bye
        others[3].number = 2
        for other in others { #expect(open.sendKeys.authenticate(sealed, other) == nil) }
        #expect(open.receiveKeys.authenticate(sealed, context) == nil)
    }

    /// A frame that only a holder of Alice's keys can make: any ciphertext, with a valid MAC.
    private func authentic(
        _ users: TwoUsers, iv: [UInt8] = .init(repeating: 9, count: 16), ciphertext: [UInt8],
        kind: SealedMessage.Kind = .message, number: UInt64 = 1
    ) throws -> [UInt8] {
        let alice = try users.session(.alice)
        let open = try #require(alice.opened)
        let context = DirectionKeys.Context(sessionID: open.sessionID, sender: .first, kind: kind, number: number)
        let mac = open.sendKeys.authenticationCode(context, iv: iv, ciphertext: ciphertext)
        let sealed = SealedMessage(kind: kind, number: number, iv: iv, ciphertext: ciphertext, mac: mac)
        return Frame(sender: .first, from: alice.run, to: open.peerRun, body: .sealed(sealed)).encoded
    }

    @Test("a wrong MAC and a bad padding get the same answer and leave the same state")
    func noPaddingOracle() throws {
        var users = try TwoUsers.open()
        let genuine = try users.say("one", .alice)
        var wrongMAC = genuine
        wrongMAC[wrongMAC.count - 1] ^= 1
        let answers: [[UInt8]] = try [
            wrongMAC,
            authentic(users, ciphertext: .init(repeating: 7, count: 32)),  // no padding at the end of it
            authentic(users, ciphertext: []),
            authentic(users, ciphertext: [1, 2, 3]),  // no whole block
        ]
        var outputs: Set<[Output]> = []
        var states: [Inbound?] = []
        for frame in answers {
            var bob = try users.session(.bob)
            outputs.insert(bob.receive(frame[...]))
            states.append(bob.opened?.inbound)
        }
        #expect(outputs == [[.event(.dropped(.altered(number: 1)))]])
        #expect(states.allSatisfy { $0 != nil && $0 == states[0] })
        #expect(users.hand(genuine, to: .bob) == [.message(number: 1, text: "one")])
    }

    @Test("a content that is no text, a goodbye with text, and a number out of range are not shown")
    func authenticNonsense() throws {
        var users = try TwoUsers.open()
        let open = try #require(users.session(.alice).opened)
        let iv = [UInt8](repeating: 3, count: 16)
        func seal(_ plaintext: [UInt8], _ kind: SealedMessage.Kind, _ number: UInt64) throws -> [UInt8] {
            let context = DirectionKeys.Context(sessionID: open.sessionID, sender: .first, kind: kind, number: number)
            let sealed = try open.sendKeys.seal(plaintext, context, iv: iv)
            return try authentic(users, iv: iv, ciphertext: sealed.ciphertext, kind: kind, number: number)
        }
        #expect(users.hand(try seal([0xc3, 0x28], .message, 1), to: .bob) == [.dropped(.altered(number: 1))])
        #expect(users.hand(try seal([0x61], .bye, 1), to: .bob) == [.dropped(.altered(number: 1))])
        #expect(users.hand(try seal([0x61], .message, 0), to: .bob) == [.dropped(.repeated(number: 0))])
        for number: UInt64 in [.max, .max - 1, ClassicLimits.highestNumber + 1] {
            #expect(users.hand(try seal([0x61], .message, number), to: .bob) == [.dropped(.altered(number: nil))])
        }
        let tooLong = [UInt8](repeating: 0x61, count: ClassicLimits.textBytes + 1)
        #expect(users.hand(try seal(tooLong, .message, 1), to: .bob) == [.dropped(.altered(number: 1))])
        let far = ClassicLimits.highestNumber
        #expect(
            users.hand(try seal([0x61], .message, far), to: .bob) == [
                .missing(2...(far - 1)), .message(number: far, text: "a"),
            ], "number 1 was reported as altered")
    }

    @Test("a message can't be turned into a goodbye, nor a goodbye into a message")
    func kindIsAuthenticated() throws {
        var users = try TwoUsers.open()
        let words = try users.say("", .alice)
        var asBye = words
        asBye[1] = SealedMessage.Kind.bye.rawValue
        #expect(users.hand(asBye, to: .bob) == [.dropped(.altered(number: 1))])
        users.hand(words, to: .bob)
        let bye = try users.leave(.alice)
        var asWords = bye
        asWords[1] = SealedMessage.Kind.message.rawValue
        #expect(users.hand(asWords, to: .bob) == [.dropped(.altered(number: 2))])
        #expect(try users.session(.bob).isOpen)
    }

    @Test("a goodbye differs from a cut connection, and after either nothing is accepted or sent")
    func goodbyeAndCut() throws {
        for saysBye in [true, false] {
            var users = try TwoUsers.open()
            let late = try users.say("late", .alice)
            if saysBye {
                try users.leave(.alice)
                #expect(users.told(.alice).last == .ended(.left))
                users.deliver()
            } else {
                users.hand(late, to: .bob)
                users.carryOut(users.sessions[.bob]?.connectionLost() ?? [], of: .bob)
            }
            #expect(users.told(.bob).last == .ended(saysBye ? .goodbye : .cut))
            #expect(try users.session(.bob).ending == (saysBye ? .goodbye : .cut))
            #expect(users.hand(late, to: .bob) == [.dropped(.afterEnd)])
            #expect(throws: ClassicSendError.ended) { try users.say("too late", .bob) }
            #expect(users.sessions[.bob]?.bye() == [])
            #expect(users.sessions[.bob]?.connectionLost() == [])
        }
    }

    @Test("a text of the greatest length passes; a longer one is refused and changes nothing")
    func textLimit() throws {
        var users = try TwoUsers.open()
        let longest = String(repeating: "x", count: ClassicLimits.textBytes)
        #expect(throws: ClassicSendError.tooLong(limit: ClassicLimits.textBytes)) {
            try users.say(longest + "y", .alice)
        }
        let frame = try users.say(longest, .alice)
        #expect(frame.count <= ClassicLimits.frameBytes)
        users.deliver()
        #expect(users.told(.bob).last == .message(number: 1, text: longest))
        #expect(users.hand(.init(repeating: 1, count: 1 << 20), to: .bob) == [.dropped(.malformed)])
    }

    @Test("at the limit of messages, the keys seal only the goodbye")
    func wornOut() throws {
        var users = try TwoUsers.open()
        var alice = try users.session(.alice)
        var open = try #require(alice.opened)
        open.nextToSend = ClassicLimits.highestNumber
        alice.state = .open(open)
        users.sessions[.alice] = alice
        #expect(throws: ClassicSendError.wornOut) { try users.say("one too many", .alice) }
        try users.leave(.alice)
        users.deliver()
        #expect(users.told(.bob).suffix(2) == [.missing(1...(ClassicLimits.highestNumber - 1)), .ended(.goodbye)])
    }

    @Test("the same text never gives the same ciphertext")
    func freshIVs() throws {
        var users = try TwoUsers.open()
        let frames = try (0..<20).map { _ in try Frame(decoding: users.say("same", .alice)) }
        let sealed = frames.compactMap { if case .sealed(let sealed) = $0.body { sealed } else { nil } }
        #expect(Set(sealed.map(\.iv)).count == 20)
        #expect(Set(sealed.map(\.ciphertext)).count == 20)
    }
}
