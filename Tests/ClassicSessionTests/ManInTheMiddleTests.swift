import KithSupport
import TestSupport
import Testing

@testable import ClassicSession

@Suite("Classic session: a man in the middle")
struct ManInTheMiddleTests {
    /// Mallory is "bob" to Alice and "alice" to Bob, with a key of her own: two honest-looking runs back to back.
    struct Middle {
        var towardsAlice: TwoUsers
        var towardsBob: TwoUsers

        init(aliceExpects: Fingerprint? = nil) throws {
            let mallory = try TestKeys.mallory.get()
            towardsAlice = try TwoUsers(
                alice: newSession(.alice, expected: aliceExpects), bob: newSession(.bob, identity: mallory))
            towardsBob = try TwoUsers(alice: newSession(.alice, identity: mallory))
            for user in User.allCases {
                towardsAlice.start(user)
                towardsBob.start(user)
            }
            towardsAlice.deliver()
            towardsBob.deliver()
        }
    }

    @Test("swapped keys are detected when the two compare fingerprints")
    func seenByFingerprints() throws {
        let middle = try Middle()
        let aliceSees = try #require(middle.towardsAlice.established(.alice))
        let bobSees = try #require(middle.towardsBob.established(.bob))
        #expect(aliceSees.peerKey != bobSees.ownKey)
        #expect(bobSees.peerKey != aliceSees.ownKey)
        #expect(aliceSees.sessionID != bobSees.sessionID)
        #expect(middle.towardsAlice.told(.alice).contains(.peerKey(aliceSees.peerKey)))
    }

    @Test("swapped keys are refused if a fingerprint is expected, and the expected key is still accepted")
    func seenByExpectation() throws {
        let bobsKey = try TestKeys.bob.get().fingerprint
        let mallorys = try TestKeys.mallory.get().fingerprint
        var middle = try Middle(aliceExpects: bobsKey)
        #expect(middle.towardsAlice.established(.alice) == nil)
        #expect(middle.towardsAlice.told(.alice).contains(.refusedKey(presented: mallorys, expected: bobsKey)))

        middle.towardsAlice.sessions[.bob] = try newSession(.bob)
        middle.towardsAlice.cursor[.bob] = middle.towardsAlice.log.count
        middle.towardsAlice.start(.bob)
        middle.towardsAlice.deliver()
        let established = try #require(middle.towardsAlice.established(.alice))
        #expect(established.peerKey == bobsKey && established.wasExpected)
    }

    @Test("passing on one's frames in the other's session gets nowhere: the signatures are for another pair of keys")
    func relayedProof() throws {
        let mallory = try TestKeys.mallory.get()
        var users = try TwoUsers(bob: newSession(.bob, identity: mallory))
        users.start(.alice)
        users.start(.bob)
        users.deliver { $0.isProof ? [] : [$0.bytes] }
        var honest = try TwoUsers()
        honest.start(.alice)
        honest.start(.bob)
        honest.deliver()
        let proofs = honest.log.filter(\.isProof)
        let target = try users.session(.alice)
        let from = try users.session(.bob).run
        for proof in proofs {
            let forged = try rewriting(proof.bytes) {
                $0.sender = .second
                $0.from = from
                $0.to = target.run
            }
            #expect(users.hand(forged, to: .alice) == [.dropped(.badProof)])
        }
    }

    /// Runs a handshake in which every frame of one type from Alice is changed on its way to Bob.
    private func run(changing change: (inout Frame) -> Void) throws -> TwoUsers {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.deliver { entry in
            guard entry.from == .alice, let changed = try? rewriting(entry.bytes, change) else { return [entry.bytes] }
            return [changed]
        }
        return users
    }

    @Test("a swapped nonce makes both proofs fail")
    func swappedNonce() throws {
        let users = try run {
            guard case .publicKey(var offer) = $0.body else { return }
            offer.nonce[7] ^= 1
            $0.body = .publicKey(offer)
        }
        for user in User.allCases {
            #expect(users.established(user) == nil)
            #expect(users.told(user).contains(.dropped(.badProof)))
        }
    }

    @Test("a swapped public key makes both proofs fail")
    func swappedKey() throws {
        let mallory = try TestKeys.mallory.get()
        let users = try run {
            guard case .publicKey(var offer) = $0.body else { return }
            offer.subjectPublicKeyInfo = mallory.publicKey.encoding
            $0.body = .publicKey(offer)
        }
        for user in User.allCases {
            #expect(users.established(user) == nil)
            #expect(users.told(user).contains(.dropped(.badProof)))
        }
    }

    @Test("a swapped signature is refused, and the genuine one is still accepted")
    func swappedProof() throws {
        let mallory = try TestKeys.mallory.get()
        var genuine: [UInt8] = []
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.deliver { entry in
            guard entry.from == .alice, entry.isProof, let signature = try? mallory.sign([1, 2, 3]),
                let changed = try? rewriting(entry.bytes, { $0.body = .proof(signature: signature) })
            else { return [entry.bytes] }
            genuine = entry.bytes
            return [changed]
        }
        #expect(users.told(.bob).contains(.dropped(.badProof)))
        #expect(users.established(.alice) == nil && users.established(.bob) == nil)
        users.hand(genuine, to: .bob)
        users.deliver()
        #expect(users.established(.alice) != nil, "Bob proved himself and sent his wrapped key")
    }

    @Test("wrapped keys made by a third party are refused, whichever user signs them")
    func swappedWrappedKey() throws {
        let mallory = try TestKeys.mallory.get()
        let bobsKey = try TestKeys.bob.get().publicKey
        var generator = SeededGenerator(seed: 5)
        let known = SecretBytes(count: DirectionKeys.byteCount, from: &generator)
        let wrapped = try bobsKey.wrap(known)
        let signature = try mallory.sign(wrapped)
        for signsAnew in [false, true] {
            let users = try run {
                guard case .wrappedKey(var key) = $0.body else { return }
                key.wrapped = wrapped
                if signsAnew { key.signature = signature }
                $0.body = .wrappedKey(key)
            }
            #expect(users.established(.bob) == nil)
            #expect(users.told(.bob).last == .dropped(.badWrappedKey))
        }
    }

    @Test("a proof sent back to its signer proves nothing, whatever side the frame claims")
    func reflectedProof() throws {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        var proof: [UInt8] = []
        users.deliver { entry in
            guard entry.isProof else { return [entry.bytes] }
            if entry.from == .alice { proof = entry.bytes }
            return []
        }
        #expect(users.hand(proof, to: .alice) == [.dropped(.reflected)])
        let alice = try users.session(.alice).run
        let bob = try users.session(.bob).run
        let turned = try rewriting(proof) {
            $0.sender = .second
            $0.from = bob
            $0.to = alice
        }
        #expect(users.hand(turned, to: .alice) == [.dropped(.badProof)])
    }

    @Test("a signature is for one side and one purpose, even by the same key over the same transcript")
    func signatureContext() throws {
        let alice = try newSession(.alice)
        let bob = try newSession(.bob)
        let transcript = Transcript(
            mine: .init(run: alice.run, offer: alice.offer), theirs: .init(run: bob.run, offer: bob.offer),
            mySide: .first)
        let peer = UnprovenPeer(run: bob.run, key: bob.identity.publicKey, transcript: transcript, side: .second)
        func proves(_ content: [UInt8]) throws -> Bool { peer.proven(by: try bob.identity.sign(content)) != nil }
        #expect(try proves(transcript.proofContent(signer: .second)))
        #expect(try !proves(transcript.proofContent(signer: .first)))
        #expect(try !proves(transcript.wrappedKeyContent(signer: .second, wrapped: [])))

        let proven = try #require(peer.proven(by: bob.identity.sign(transcript.proofContent(signer: .second))))
        var generator = SeededGenerator(seed: 2)
        let wrapped = try alice.identity.publicKey.wrap(SecretBytes(count: 64, from: &generator))
        func opens(_ signer: Side) throws -> Bool {
            let signature = try bob.identity.sign(transcript.wrappedKeyContent(signer: signer, wrapped: wrapped))
            return proven.openKeys(WrappedKey(wrapped: wrapped, signature: signature), with: alice.identity) != nil
        }
        #expect(try opens(.second))
        #expect(try !opens(.first))
    }

    @Test("the user's own key, a key under another id, and a weak or odd key are refused")
    func unacceptableOffers() throws {
        let bob = try newSession(.bob)
        func answer(_ change: (inout PublicKeyOffer) -> Void) throws -> [Event] {
            var alice = try newSession(.alice)
            _ = alice.start()
            var offer = bob.offer
            change(&offer)
            let frame = Frame(sender: .second, from: bob.run, to: alice.run, body: .publicKey(offer)).encoded
            let outputs = alice.receive(frame[...])
            #expect(outputs.frames.isEmpty)
            #expect(alice.state.peerRun == nil, "the session waits as before")
            return outputs.plainEvents
        }
        let own = try TestKeys.alice.get().publicKey.encoding
        #expect(try answer { $0.subjectPublicKeyInfo = own } == [.dropped(.reflected)])
        for id in ["alice", "bob ", "Bob", "", "bo\u{301}b", "bob\u{7}"] {
            #expect(try answer { $0.id = Array(id.utf8) } == [.dropped(.wrongID)])
        }
        #expect(try answer { $0.id = [0xff, 0xfe] } == [.dropped(.wrongID)])
        let refused: [(key: [UInt8], why: KeyRefusal)] = [
            (rsaKeyEncoding(bits: 1024), .tooShort(bits: 1024)),
            (rsaKeyEncoding(bits: 2048), .tooShort(bits: 2048)),
            (rsaKeyEncoding(bits: 3071), .tooShort(bits: 3071)),
            (rsaKeyEncoding(bits: 3073), .notAnRSAKey),
            (rsaKeyEncoding(bits: 3072, exponent: [3]), .unusualExponent),
            (rsaKeyEncoding(bits: 3072, exponent: [1, 0, 0, 1]), .unusualExponent),
            (rsaKeyEncoding(bits: 3072, exponent: [2]), .notAnRSAKey),
            (rsaKeyEncoding(bits: 3072) + [0], .notAnRSAKey),
            ([], .notAnRSAKey),
            ([UInt8](repeating: 0x30, count: 400), .notAnRSAKey),
        ]
        for (key, why) in refused {
            #expect(try answer { $0.subjectPublicKeyInfo = key } == [.dropped(.unacceptableKey(why))])
        }
        #expect(try answer { $0.subjectPublicKeyInfo = rsaKeyEncoding(bits: 8200) }.count == 1)
    }

    @Test("a handshake frame with one byte changed on its way does not complete the handshake")
    func everyHandshakeByte() throws {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        users.cursor[.bob] = users.log.count
        // Bob's state just before each of Alice's frames, and the frames.
        var moments: [(bob: ClassicSession, frame: [UInt8])] = []
        var bob = try users.session(.bob)
        users.deliver { entry in
            if entry.from == .alice {
                moments.append((bob, entry.bytes))
                _ = bob.receive(entry.bytes[...])
            }
            return [entry.bytes]
        }
        #expect(moments.count == 3, "public key, proof, wrapped key")
        for (index, moment) in moments.enumerated() {
            for position in moment.frame.indices {
                // The modulus is most of the first frame, and each changed byte of it costs a signature, so only some bytes
                // are tried.
                if index == 0, position > 100, position % 16 != 0, position < moment.frame.count - 40 { continue }
                var bob = moment.bob
                var altered = moment.frame
                altered[position] ^= 0x10
                _ = bob.receive(altered[...])
                for rest in moments.dropFirst(index + 1) { _ = bob.receive(rest.frame[...]) }
                #expect(!bob.isOpen, "frame \(index), byte \(position)")
            }
            for length in 0..<moment.frame.count {
                var bob = moment.bob
                #expect(bob.receive(moment.frame[..<length]) == [.event(.dropped(.malformed))])
            }
        }
    }

    @Test("a recorded handshake gets nowhere when replayed, even with its headers rewritten")
    func replayedHandshake() throws {
        var recorded = try TwoUsers.open()
        try recorded.say("recorded", .alice)
        var users = try TwoUsers()
        users.start(.bob)
        let bobsRun = try users.session(.bob).run
        for entry in recorded.log where entry.from == .alice {
            users.hand(entry.bytes, to: .bob)
            let aimed = try rewriting(entry.bytes) { if $0.to != nil { $0.to = bobsRun } }
            users.hand(aimed, to: .bob)
        }
        #expect(users.established(.bob) == nil)
        #expect(users.told(.bob).contains(.dropped(.badProof)))
        #expect(users.texts(.bob).isEmpty)
    }
}
