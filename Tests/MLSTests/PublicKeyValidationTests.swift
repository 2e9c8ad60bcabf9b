import Testing

@testable import MLS

@Suite("Public keys")
struct PublicKeyValidationTests {
    /// The KEM of a suite.
    private static func kem(_ suite: CipherSuite) throws -> KEM { try suite.requireAlgorithms().kem }

    @Test("a generated key is valid, and one that is too short or too long is not", arguments: CipherSuite.supported)
    func generated(suite: CipherSuite) throws {
        let kem = try Self.kem(suite)
        for _ in 0..<20 {
            let key = try kem.generateKeyPair(.system).publicKey
            #expect(throws: Never.self) { try kem.validate(key) }
            for bytes in [Array(key.bytes.dropLast()), key.bytes + [0], []] {
                #expect(throws: MLSError.crypto(.invalidPublicKey)) { try kem.validate(HPKEPublicKey(bytes)) }
            }
        }
    }

    @Test("no operation uses a key that is too short or too long", arguments: CipherSuite.supported)
    func lengths(suite: CipherSuite) throws {
        let kem = try Self.kem(suite)
        let key = try kem.generateKeyPair(.system)
        for bytes in [Array(key.publicKey.bytes.dropLast()), key.publicKey.bytes + [0], []] {
            #expect(throws: MLSError.crypto(.invalidPublicKey)) {
                _ = try kem.encapsulate(to: HPKEPublicKey(bytes), .system)
            }
        }
        #expect(throws: Never.self) { try kem.privateKey(key.bytes) }
        for longer in [[0] + key.bytes.copyBytes(), key.bytes.copyBytes() + [0]] {
            #expect(throws: MLSError.crypto(.invalidPrivateKey)) { try kem.privateKey(SecretBytes(longer)) }
        }
    }

    /// Keys of order 1, 2, 4 and 8 on Curve25519 and its twist, as little-endian bytes.
    private static let lowOrderKeys: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a]
            + [0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00],
        [0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b]
            + [0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57],
        [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
        [0xed] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
        [0xee] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
    ]

    @Test("an X25519 key that nobody can encapsulate to is invalid", arguments: lowOrderKeys, [0, 0x80] as [UInt8])
    func lowOrder(key: [UInt8], highBit: UInt8) throws {
        let bytes = key.dropLast() + [key[31] | highBit]
        #expect(throws: MLSError.crypto(.encapsulate)) {
            _ = try KEM.x25519.encapsulate(to: HPKEPublicKey(Array(bytes)), .system)
        }
        #expect(throws: MLSError.crypto(.invalidPublicKey)) { try KEM.x25519.validate(HPKEPublicKey(Array(bytes))) }
        // Anyone could open a ciphertext whose encapsulation is such a key.
        let own = try KEM.x25519.generateKeyPair(.system)
        #expect(throws: MLSError.crypto(.decapsulate)) { _ = try KEM.x25519.decapsulate(Array(bytes), own) }
        let xWing = try KEM.xWing.generateKeyPair(.system).publicKey.bytes.dropLast(32) + bytes
        #expect(throws: MLSError.crypto(.encapsulate)) {
            _ = try KEM.xWing.encapsulate(to: HPKEPublicKey(Array(xWing)), .system)
        }
        #expect(throws: MLSError.crypto(.invalidPublicKey)) { try KEM.xWing.validate(HPKEPublicKey(Array(xWing))) }
    }

    @Test(
        "a coefficient that is not reduced makes no ML-KEM key, wherever it is",
        arguments: [KEM.xWing, .xWingUnlabeled, .mlkem768, .mlkem1024])
    func notReduced(kem: KEM) throws {
        let key = try kem.generateKeyPair(.system).publicKey.bytes
        let coefficients = (kem == .mlkem1024 ? 1_024 : 768)
        for coefficient in 0..<coefficients {
            for value: UInt16 in [3_328, 3_329, 4_095] {
                var changed = key
                let at = coefficient / 2 * 3
                if coefficient % 2 == 0 {
                    changed[at] = UInt8(value & 0xff)
                    changed[at + 1] = changed[at + 1] & 0xf0 | UInt8(value >> 8)
                } else {
                    changed[at + 1] = changed[at + 1] & 0x0f | UInt8(value & 0x0f) << 4
                    changed[at + 2] = UInt8(value >> 4)
                }
                let isValid = (try? kem.validate(HPKEPublicKey(changed))) != nil
                #expect(isValid == (value < 3_329))
                guard coefficient % 97 == 0 else { continue }
                // The KEM itself agrees.
                #expect(((try? kem.encapsulate(to: HPKEPublicKey(changed), .system)) != nil) == isValid)
            }
        }
    }

    @Test(
        "a leaf that nobody could encrypt to does not enter a tree", arguments: [CipherSuite.xWingAES128SHA256Ed25519])
    func refusedLeaf(suite: CipherSuite) throws {
        let environment = testEnvironment()
        let unusable = HPKEPublicKey([UInt8](repeating: 0xff, count: 1_216))
        let keyPackage = try Forge.keyPackage(suite: suite, leaf: { $0.encryptionKey = unusable })
        #expect(throws: MLSError.leafNode(.invalidEncryptionKey)) { try keyPackage.verify(in: environment) }
        var alice = try testGroup("alice", suite)
        #expect(throws: MLSError.leafNode(.invalidEncryptionKey)) {
            _ = try alice.commit(CommitOptions([.add(keyPackage)]), in: environment)
        }
    }
}
