import KithSupport
import TestSupport
import Testing

@testable import ClassicSession

@Suite("Classic session: secrets")
struct SecretsTests {
    /// All ways in which a value gets printed.
    private func printed(_ value: Any) -> String {
        var dumped = ""
        dump(value, to: &dumped)
        return "\(value)\n\(String(reflecting: value))\n\(dumped)"
    }

    /// The first bytes of a secret, as they would appear in print.
    private func spellings(_ secret: SecretBytes) -> [String] {
        secret.withUnsafeBytes { bytes in
            let start = bytes.prefix(6)
            return [
                Hex.encode(start), Hex.encode(start).uppercased(), start.map { "\($0)" }.joined(separator: ", "),
                start.map { "- \($0)" }.joined(separator: "\n"),
            ]
        }
    }

    @Test("no holder of message keys prints them")
    func keysDoNotPrint() throws {
        var generator = SeededGenerator(seed: 11)
        let material = SecretBytes(count: 64, from: &generator)
        let keys = try #require(DirectionKeys(material))
        let holder = SessionState.Open(
            peerRun: RunID(from: &generator), sessionID: SessionID(bytes: []), sendKeys: keys, receiveKeys: keys)
        for text in [printed(material), printed(keys), printed(holder), printed(SessionState.open(holder))] {
            for spelling in spellings(material) { #expect(!text.contains(spelling)) }
        }
        #expect("\(material)" == "SecretBytes(64 bytes)")
    }

    @Test("a session prints its two users and its progress, and nothing else")
    func sessionPrints() throws {
        let users = try TwoUsers.open()
        let alice = try users.session(.alice)
        #expect("\(alice)" == "ClassicSession(alice with bob, open)")
        #expect(printed(alice).filter(\.isNewline).count <= 3)
    }

    @Test("an identity prints its fingerprint and nothing of its private key")
    func identityPrints() throws {
        let identity = try TestKeys.alice.get()
        let text = printed(identity)
        #expect(text.contains(identity.fingerprint.description))
        for line in identity.pem.split(separator: "\n") { #expect(!text.contains(line)) }
    }

    @Test("no report or explanation contains message keys or texts")
    func reportsHoldNoSecrets() throws {
        var users = try TwoUsers(alice: newSession(.alice, random: SeededGenerator(seed: 3)))
        users.start(.alice)
        users.start(.bob)
        users.deliver()
        // The same generator gives the same keys again: after the run's number and nonce come Alice's message keys.
        var generator = SeededGenerator(seed: 3)
        _ = randomBytes(RunID.byteCount + PublicKeyOffer.nonceBytes, from: &generator)
        let material = SecretBytes(count: DirectionKeys.byteCount, from: &generator)
        #expect(try users.session(.alice).opened?.receiveKeys == DirectionKeys(material))

        let canary = "canary-7f3a-words"
        let frame = try users.say(canary, .alice)
        var altered = frame
        altered[altered.count - 1] ^= 1
        users.hand(altered, to: .bob)
        users.deliver()
        #expect(users.texts(.bob) == [canary])
        for user in User.allCases {
            for event in users.events[user, default: []] where !event.isMessage {
                let text = printed(event)
                #expect(!text.contains("canary"))
                for spelling in spellings(material) { #expect(!text.contains(spelling)) }
            }
        }
        for entry in users.log { #expect(!Hex.encode(entry.bytes).contains(Hex.encode(Array(canary.utf8)))) }
    }

    @Test("taking a secret out of a buffer empties the buffer, and equal secrets are equal")
    func wiping() {
        var bytes: [UInt8] = Array(1...64)
        let one = bytes.withUnsafeMutableBytes { SecretBytes(wiping: $0) }
        #expect(bytes == .init(repeating: 0, count: 64))
        var same: [UInt8] = Array(1...64)
        #expect(same.withUnsafeMutableBytes { SecretBytes(wiping: $0) } == one)
        var other: [UInt8] = Array(2...65)
        #expect(other.withUnsafeMutableBytes { SecretBytes(wiping: $0) } != one)
    }
}
