import Crypto
import KithSupport
import Testing

@testable import MLS

@Suite("Primitives")
struct PrimitiveTests {
    @Test("the sponge under SHAKE256 gives swift-crypto's SHA3-256")
    func sponge() {
        for count in [0, 1, 31, 135, 136, 137, 271, 272, 1_000] {
            let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
            let expected = SecretBytes(Array(SHA3_256.hash(data: message)))
            #expect(SHAKE256.sponge(message, domain: 0x06, rate: 136, count: 32) == expected)
        }
    }

    @Test("SHAKE256 of the empty string is that of FIPS 202")
    func shake() throws {
        let expected = try #require(Hex.decode("46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"))
        #expect(SHAKE256.hash(.zero(count: 0), count: 32) == SecretBytes(expected))
    }

    @Test("the short HKDF gives the bytes of swift-crypto's")
    func hkdf() {
        let key = SecretBytes((0..<32).map { UInt8($0) })
        let info = Array("info".utf8)
        for count in [1, 12, 31, 32, 33, 64, 100, 255 * 32] {
            let expected = HKDF<SHA256>.expand(
                pseudoRandomKey: key.copyBytes(), info: info, outputByteCount: count)
            let ours = HashAlgorithm.sha256.expand(key, count: count, infoLength: info.count) {
                $0.copyBytes(from: info)
            }
            #expect(ours == SecretBytes(expected))
        }
        for length in [0, 1, 127, 128, 129, 300] {
            let key = [UInt8](repeating: 9, count: length)
            let expected = HMAC<SHA384>.authenticationCode(for: info, using: SymmetricKey(data: key))
            #expect(HashAlgorithm.sha384.hmac(key: SecretBytes(key), info) == Array(expected))
        }
    }

    @Test("our HPKE and swift-crypto's open each other's ciphertexts")
    func hpke() throws {
        let algorithms = try CipherSuite.xWingAES128SHA256Ed25519.requireAlgorithms()
        let key = try algorithms.kem.generateKeyPair(.system)
        guard case .xWing(let theirs) = key.key else { return }
        let suite = HPKE.Ciphersuite(kem: .XWingMLKEM768X25519, kdf: .HKDF_SHA256, aead: .AES_GCM_128)
        var sender = try HPKE.Sender(recipientKey: theirs.publicKey, ciphersuite: suite, info: .init([1, 2]))
        let sealed = HPKECiphertext(
            kemOutput: Array(sender.encapsulatedKey),
            ciphertext: Array(try sender.seal([UInt8](repeating: 4, count: 9))))
        // Both sides use empty associated data.
        let context = algorithms.hpkeContext(info: [1, 2])
        #expect(try algorithms.hpkeOpen(sealed, key: key, context) == SecretBytes([UInt8](repeating: 4, count: 9)))
        let ours = try algorithms.hpkeSeal(to: key.publicKey, context, [8, 9], .system)
        var recipient = try HPKE.Recipient(
            privateKey: theirs, ciphersuite: suite, info: .init([1, 2]), encapsulatedKey: .init(ours.kemOutput))
        let opened = try recipient.open(ours.ciphertext)
        #expect(Array(opened) == [8, 9])
    }

    @Test("a secret shows its length and nothing else, however it is printed")
    func secretPrinting() {
        let secret = SecretBytes([0xde, 0xad, 0xbe, 0xef])
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])", "\(Optional(secret) as Any)"] {
            #expect(!text.contains("222") && !text.lowercased().contains("dead"))
        }
        #expect("\(secret)" == "SecretBytes(4 bytes)")
    }
}

@Suite("Randomness")
struct RandomSourceTests {
    @Test(
        "the system's source fills buffers of every length, and never twice the same",
        arguments: [0, 1, 31, 256, 257, 5_000])
    func system(count: Int) {
        let first = RandomSource.system.bytes(count)
        #expect(first.count == count)
        guard count >= 31 else { return }
        #expect(first != RandomSource.system.bytes(count))
        #expect(first.suffix(31).contains { $0 != 0 })
    }
}
