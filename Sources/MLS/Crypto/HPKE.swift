import KithSupport
import TLSCodec

/// `struct { opaque kem_output<V>; opaque ciphertext<V>; } HPKECiphertext;` (RFC 9420 §7.6)
public struct HPKECiphertext: Hashable, Sendable, TLSCodable {
    /// The encapsulated key.
    public let kemOutput: [UInt8]
    /// The sealed bytes with their tag.
    public let ciphertext: [UInt8]

    /// Creates a value from its two fields.
    public init(kemOutput: [UInt8], ciphertext: [UInt8]) {
        self.kemOutput = kemOutput
        self.ciphertext = ciphertext
    }

    /// Reads the two fields.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        kemOutput = Array(try reader.readOpaque())
        ciphertext = Array(try reader.readOpaque())
    }

    /// Writes the two fields.
    public func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(kemOutput)
        writer.writeOpaque(ciphertext)
    }
}

/// HPKE in base mode with one message (RFC 9180 §5.1.1, §6), based on swift-crypto's primitives.
///
/// swift-crypto's own HPKE lacks the ML-KEM suites and `DeriveKeyPair`. swift-crypto's HKDF takes longer than a Diffie-Hellman
/// operation.
extension Algorithms {
    /// `"HPKE" || kem_id || kdf_id || aead_id` (RFC 9180 §5.1).
    private var hpkeSuiteID: [UInt8] {
        var writer = TLSWriter(capacity: 10)
        writer.writeBytes("HPKE".utf8)
        writer.write(kem.hpkeID)
        writer.write(hash.kdfID)
        writer.write(aead.hpkeID)
        return writer.bytes
    }

    /// `key_schedule_context` of base mode (RFC 9180 §5.1). Ciphertexts with equal `info` share one context, because the context
    /// depends only on `info`. A Welcome's `info` contains the whole tree, and is hashed only once for all new members.
    func hpkeContext(info: [UInt8]) -> HPKEContext {
        let hkdf = LabeledHKDF(hash, hpkeSuiteID)
        let empty = SecretBytes.zero(count: 0)
        let identity = hkdf.extract(empty, "psk_id_hash", empty)
        let infoHash = hkdf.extract(empty, "info_hash", SecretBytes(info))
        return HPKEContext(hkdf: hkdf, bytes: [0] + identity.copyBytes() + infoHash.copyBytes())
    }

    /// `SealBase(pkR, info, aad, pt)` with an empty `aad`.
    func hpkeSeal(
        to key: HPKEPublicKey, _ context: HPKEContext, _ plaintext: [UInt8], _ random: RandomSource
    ) throws(MLSError) -> HPKECiphertext {
        let (shared, encapsulated) = try kem.encapsulate(to: key, random)
        let keys = context.keys(shared, aead)
        return HPKECiphertext(
            kemOutput: encapsulated,
            ciphertext: try aead.seal(plaintext, key: keys.key, nonce: keys.nonce, aad: []))
    }

    /// `OpenBase(enc, skR, info, aad, ct)` with an empty `aad`.
    func hpkeOpen(
        _ sealed: HPKECiphertext, key: HPKEPrivateKey, _ context: HPKEContext
    ) throws(MLSError) -> SecretBytes {
        let keys = context.keys(try kem.decapsulate(sealed.kemOutput, key), aead)
        var opened = try aead.open(sealed.ciphertext[...], key: keys.key, nonce: keys.nonce, aad: [])
        return SecretBytes(wiping: &opened)
    }

    /// `SetupBaseS(pkR, "")` and `context.export(exporter_context, L)` (RFC 9180 §5.1.1, §5.3).
    func hpkeExport(
        to key: HPKEPublicKey, _ exporterContext: StaticString, _ random: RandomSource
    ) throws(MLSError) -> (secret: SecretBytes, kemOutput: [UInt8]) {
        let (shared, encapsulated) = try kem.encapsulate(to: key, random)
        return (hpkeExport(shared, exporterContext), encapsulated)
    }

    /// `SetupBaseR(enc, skR, "")` and `context.export(exporter_context, L)`.
    func hpkeExport(
        _ kemOutput: [UInt8], key: HPKEPrivateKey, _ exporterContext: StaticString
    ) throws(MLSError) -> SecretBytes {
        hpkeExport(try kem.decapsulate(kemOutput, key), exporterContext)
    }

    private func hpkeExport(_ shared: SecretBytes, _ exporterContext: StaticString) -> SecretBytes {
        let context = hpkeContext(info: [])
        let exporter = context.hkdf.expand(context.secret(shared), "exp", context.bytes, hashLength)
        return context.hkdf.expand(exporter, "sec", Array(exporterContext.utf8Bytes), hashLength)
    }

    // MARK: With a label

    /// `EncryptWithLabel(PublicKey, Label, Context, Plaintext)` (RFC 9420 §5.1.3).
    func encryptWithLabel(
        to key: HPKEPublicKey, _ label: StaticString, context: [UInt8], _ plaintext: [UInt8], _ random: RandomSource
    ) throws(MLSError) -> HPKECiphertext {
        try hpkeSeal(to: key, labeledContext(label, context), plaintext, random)
    }

    /// `DecryptWithLabel(PrivateKey, Label, Context, KEMOutput, Ciphertext)` (RFC 9420 §5.1.3).
    func decryptWithLabel(
        _ sealed: HPKECiphertext, key: HPKEPrivateKey, _ label: StaticString, context: [UInt8]
    ) throws(MLSError) -> SecretBytes {
        try hpkeOpen(sealed, key: key, labeledContext(label, context))
    }

    /// The HPKE context whose `info` is a `struct { opaque label<V> = "MLS 1.0 " + Label; opaque context<V>; } EncryptContext;`
    /// (§5.1.3)
    func labeledContext(_ label: StaticString, _ context: [UInt8]) -> HPKEContext {
        var writer = TLSWriter(capacity: context.count + 48)
        writer.writeOpaque(Array("MLS 1.0 ".utf8) + label.utf8Bytes)
        writer.writeOpaque(context)
        return hpkeContext(info: writer.bytes)
    }
}

/// The part of HPKE's key schedule (RFC 9180 §5.1) that does not depend on the shared secret.
struct HPKEContext: Sendable {
    fileprivate let hkdf: LabeledHKDF
    fileprivate let bytes: [UInt8]

    fileprivate func secret(_ shared: SecretBytes) -> SecretBytes {
        hkdf.extract(shared, "secret", .zero(count: 0))
    }

    fileprivate func keys(_ shared: SecretBytes, _ aead: AEAD) -> (key: SecretBytes, nonce: SecretBytes) {
        let secret = secret(shared)
        return (
            hkdf.expand(secret, "key", bytes, aead.keyLength),
            hkdf.expand(secret, "base_nonce", bytes, aead.nonceLength)
        )
    }
}

/// `LabeledExtract` and `LabeledExpand` (RFC 9180 §4) with one hash and one suite identifier.
struct LabeledHKDF {
    let hash: HashAlgorithm
    let suiteID: [UInt8]
    private static let version: StaticString = "HPKE-v1"

    init(_ hash: HashAlgorithm, _ suiteID: [UInt8]) {
        self.hash = hash
        self.suiteID = suiteID
    }

    /// `LabeledExtract(salt, label, ikm)`.
    func extract(_ salt: SecretBytes, _ label: StaticString, _ material: SecretBytes) -> SecretBytes {
        let length = 7 + suiteID.count + label.utf8CodeUnitCount + material.count
        return SecretBytes(count: hash.length) { output in
            salt.withUnsafeBytes { salt in
                hash.hmac(key: salt, messageLength: length, output: UnsafeMutableRawBufferPointer(output)) { message in
                    var at = 0
                    message.copy(Self.version.utf8Bytes, at: &at)
                    suiteID.withUnsafeBytes { message.copy($0, at: &at) }
                    message.copy(label.utf8Bytes, at: &at)
                    material.withUnsafeBytes { message.copy($0, at: &at) }
                }
            }
        }
    }

    /// `LabeledExpand(prk, label, info, L)`.
    func expand(_ secret: SecretBytes, _ label: StaticString, _ info: [UInt8], _ count: Int) -> SecretBytes {
        let length = 2 + 7 + suiteID.count + label.utf8CodeUnitCount + info.count
        return hash.expand(secret, count: count, infoLength: length) { message in
            message[0] = UInt8(truncatingIfNeeded: count >> 8)
            message[1] = UInt8(truncatingIfNeeded: count)
            var at = 2
            message.copy(Self.version.utf8Bytes, at: &at)
            suiteID.withUnsafeBytes { message.copy($0, at: &at) }
            message.copy(label.utf8Bytes, at: &at)
            info.withUnsafeBytes { message.copy($0, at: &at) }
        }
    }
}
