import KithSupport
import TestSupport
import Testing

@testable import ClassicSession

@Suite("Classic ids, channels and keys")
struct IdentityTests {
    @Test("the same name typed in different ways is the same id")
    func normalization() throws {
        #expect(try ClassicID("zoe\u{308}").bytes == ClassicID("zo\u{eb}").bytes)
        #expect(try ClassicID("  bob\t") == ClassicID("bob"))
        #expect(try ClassicID("Bob") != ClassicID("bob"))
        #expect(try ClassicID("山田 太郎").name == "山田 太郎")
    }

    @Test(
        "a text that can't be an id is refused with the reason",
        arguments: [
            ("", .empty), (" \t ", .empty),
            (String(repeating: "a", count: 129), .tooLong(limit: 128)),
            (String(repeating: "é", count: 65), .tooLong(limit: 128)),
            (String(repeating: " ", count: 100_000), .tooLong(limit: 128)),
            ("bob\n", .forbiddenCharacter("\n")), ("b\u{1b}[2Jb", .forbiddenCharacter("\u{1b}")),
            ("bob\u{0}", .forbiddenCharacter("\u{0}")), ("b\u{202e}ob", .forbiddenCharacter("\u{202e}")),
            ("b\u{200b}ob", .forbiddenCharacter("\u{200b}")), ("b\u{2028}b", .forbiddenCharacter("\u{2028}")),
            ("b\u{378}", .forbiddenCharacter("\u{378}")), ("b\u{9f}", .forbiddenCharacter("\u{9f}")),
        ] as [(String, ClassicIDError)])
    func refusedIDs(text: String, why: ClassicIDError) {
        #expect(throws: why) { try ClassicID(text) }
        #expect(why.description.filter(\.isNewline).isEmpty)
    }

    @Test("an id of the greatest length is accepted, typed and off the wire")
    func longestID() throws {
        let longest = try ClassicID(String(repeating: "é", count: 64))
        #expect(longest.bytes.count == 128)
        #expect(ClassicID(wire: longest.bytes[...]) == longest)
        #expect(ClassicID(wire: [UInt8](repeating: 0x61, count: 129)[...]) == nil)
    }

    @Test("an RSA key of the greatest length is accepted, and a longer one is not")
    func longestKey() throws {
        #expect(try ClassicPublicKey(subjectPublicKeyInfo: rsaKeyEncoding(bits: 8192)[...]).bits == 8192)
        for bits in [8200, 8400, 8408] {
            #expect(throws: KeyRefusal.self) {
                try ClassicPublicKey(subjectPublicKeyInfo: rsaKeyEncoding(bits: bits)[...])
            }
        }
    }

    @Test("a key encoding over the limit is refused unread")
    func longestEncoding() {
        func read(_ count: Int) throws(KeyRefusal) {
            let weak = rsaKeyEncoding(bits: 2048)
            let padded = weak + [UInt8](repeating: 0, count: count - weak.count)
            _ = try ClassicPublicKey(subjectPublicKeyInfo: padded[...])
        }
        #expect(throws: KeyRefusal.tooShort(bits: 2048)) { try read(ClassicLimits.publicKeyBytes) }
        #expect(throws: KeyRefusal.notAnRSAKey) { try read(ClassicLimits.publicKeyBytes + 1) }
    }

    @Test("message keys are made of exactly 64 bytes", arguments: [0, 32, 63, 64, 65, 128])
    func keyMaterial(count: Int) {
        var generator = SeededGenerator(seed: 7)
        #expect((DirectionKeys(SecretBytes(count: count, from: &generator)) != nil) == (count == 64))
    }

    @Test("a user can't talk to themselves")
    func equalIDs() throws {
        let bob = try ClassicID("bob")
        let same = try ClassicID(" bob ")
        let identity = try TestKeys.bob.get()
        #expect(throws: ClassicIDError.sameAsPeer) { try ChannelDerivation(bob, same) }
        #expect(throws: ClassicIDError.sameAsPeer) { try ClassicSession(me: bob, peer: same, identity: identity) }
    }

    /// Computed with another implementation of HKDF from the definition in ``ChannelDerivation``.
    @Test(
        "the channel of two ids follows the definition, in either order of the ids",
        arguments: [
            (
                "alice", "bob",
                [
                    "bcb4b823886d30eee140a9a793b1344cfc38f9b337ee9ce93cfcb805cdfafb8d",
                    "1e17d013d0f7eb3aef6ca7b49443bf926c8e71d32977fff874a6f9f4da51ef5b",
                    "3a43c4534ea45fbc02deb4defb174b4743d208d099fdaacd1c8304a0db1f983e",
                    "98944a876e472e9cc787e7f71bb9fd46856befbb84b9862c5d8114ccf2969204",
                ]
            ),
            (
                "Zoë", "émile",
                [
                    "6468c837ae9b1730e17164fafc39628dfa2cbbff71d320e80a94890187cee926",
                    "ecf9e3d19b1b6680a7b26984cbfab01da306575d7290068fa3031fe30a822e85",
                    "abf7ba463a7e08ac937f6bf5b1a65826a497a24315a7401afd36758a329d253d",
                    "7969975bd5be9c7fd741fb411687c6f6e2725510a7d7952da2d483b5ff87bcc3",
                ]
            ),
        ])
    func channelVectors(one: String, other: String, expected: [String]) throws {
        let one = try ClassicID(one)
        let other = try ClassicID(other)
        let channel = try ChannelDerivation(one, other)
        #expect(
            [channel.channelID, channel.readToken, channel.appendToken, channel.turnToken].map { Hex.encode($0) }
                == expected)
        #expect(try ChannelDerivation(other, one) == channel)
    }

    @Test("pairs of ids whose concatenations are equal have different channels")
    func noAmbiguity() throws {
        let one = try ChannelDerivation(ClassicID("ab"), ClassicID("c"))
        let other = try ChannelDerivation(ClassicID("a"), ClassicID("bc"))
        #expect(one.channelID != other.channelID)
    }

    @Test("a fingerprint is shown in groups and can be read back in every usual form")
    func fingerprints() throws {
        let fingerprint = try TestKeys.alice.get().fingerprint
        let text = fingerprint.description
        #expect(text.count == 79 && fingerprint.groups.count == 16 && fingerprint.groups.allSatisfy { $0.count == 4 })
        for copy in [
            text, text.uppercased(), Hex.encode(fingerprint.bytes), fingerprint.groups.joined(separator: " "),
            fingerprint.groups.joined(separator: ":") + "\n",
        ] {
            #expect(try Fingerprint(copy) == fingerprint)
        }
        #expect(throws: FingerprintError.wrongLength) { try Fingerprint(String(text.dropLast())) }
        #expect(throws: FingerprintError.wrongLength) { try Fingerprint(text + "0") }
        #expect(throws: FingerprintError.wrongLength) { try Fingerprint("") }
        #expect(throws: FingerprintError.notADigit("g")) { try Fingerprint("g" + text.dropFirst()) }
        #expect(throws: FingerprintError.notADigit("１")) { try Fingerprint("１" + text.dropFirst()) }
    }

    @Test("a key written to a file and read again is the same identity")
    func keyFile() throws {
        let identity = try TestKeys.alice.get()
        let read = try ClassicIdentity(pem: identity.pem)
        #expect(read.fingerprint == identity.fingerprint && read.bits == 3072)
        #expect(read.isKept && !identity.isKept)
        let users = try TwoUsers(alice: newSession(.alice, identity: read))
        var running = users
        running.start(.alice)
        running.start(.bob)
        running.deliver()
        #expect(running.established(.bob)?.peerKey == identity.fingerprint)
    }

    @Test("a file that holds no RSA private key is refused")
    func noKeyFile() throws {
        let pem = try TestKeys.alice.get().pem
        for text in ["", "hello", String(pem.dropLast(400)), pem.replacing("PRIVATE KEY", with: "PUBLIC KEY")] {
            #expect(throws: ClassicIdentityError.unreadable) { try ClassicIdentity(pem: text) }
        }
    }
}
