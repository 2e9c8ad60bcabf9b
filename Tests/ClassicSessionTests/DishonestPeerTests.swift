import KithSupport
import TestSupport
import Testing

@testable import ClassicSession

/// Attacks by a peer that holds the private key to the key they presented.
@Suite("Classic session: a dishonest peer")
struct DishonestPeerTests {
    @Test("a key that is signed but does not open gets the same answer as one with a wrong signature")
    func unopenableWrappedKey() throws {
        let alice = try newSession(.alice)
        let bob = try newSession(.bob)
        let transcript = Transcript(
            mine: .init(run: alice.run, offer: alice.offer), theirs: .init(run: bob.run, offer: bob.offer),
            mySide: .first)
        var users = try TwoUsers(alice: alice, bob: bob)
        users.start(.alice)
        users.start(.bob)
        users.deliver { entry in
            guard entry.from == .alice, var frame = try? Frame(decoding: entry.bytes),
                case .wrappedKey(var key) = frame.body
            else { return [entry.bytes] }
            key.wrapped[200] ^= 1
            let content = transcript.wrappedKeyContent(signer: .first, wrapped: key.wrapped)
            key.signature = (try? alice.identity.sign(content)) ?? []
            frame.body = .wrappedKey(key)
            return [frame.encoded]
        }
        #expect(users.told(.bob).last == .dropped(.badWrappedKey))
        #expect(users.established(.bob) == nil)
    }

    @Test("a peer that sends the other's message keys back, or keys of another length, gets no session")
    func dishonestWrappedKey() throws {
        var users = try TwoUsers()
        users.start(.alice)
        users.start(.bob)
        var genuine: [UInt8] = []
        users.deliver { entry in
            guard entry.from == .bob, case .wrappedKey = entry.body else { return [entry.bytes] }
            genuine = entry.bytes
            return []
        }
        let alice = try users.session(.alice)
        let bob = try users.session(.bob)
        let transcript = Transcript(
            mine: .init(run: bob.run, offer: bob.offer), theirs: .init(run: alice.run, offer: alice.offer),
            mySide: .second)
        func wrapped(_ material: SecretBytes) throws -> [UInt8] {
            let wrapped = try alice.identity.publicKey.wrap(material)
            let signature = try bob.identity.sign(transcript.wrappedKeyContent(signer: .second, wrapped: wrapped))
            return try rewriting(genuine) { $0.body = .wrappedKey(WrappedKey(wrapped: wrapped, signature: signature)) }
        }
        let alices = try #require(
            users.log.lazy.compactMap { entry in
                if entry.from == .alice, case .wrappedKey(let key) = entry.body { key.wrapped } else { nil }
            }.first)
        var generator = SeededGenerator(seed: 6)
        var refused = [try bob.identity.unwrap(alices)]
        refused += [0, 63, 65].map { SecretBytes(count: $0, from: &generator) }
        for material in refused {
            #expect(users.hand(try wrapped(material), to: .alice) == [.dropped(.badWrappedKey)])
        }
        #expect(users.established(.alice) == nil)
        users.hand(try wrapped(SecretBytes(count: DirectionKeys.byteCount, from: &generator)), to: .alice)
        #expect(users.established(.alice) != nil)
    }
}
