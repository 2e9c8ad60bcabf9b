import Crypto
import CryptoExtras
import Foundation
import MLS
import TLSCodec

/// The parameters of scrypt (RFC 7914). Kith derives a key from a passphrase with these parameters. The parameters are stored
/// with the sealed data:
///
/// ```text
/// struct {
///     uint8 log_rounds;      N = 2^log_rounds
///     uint8 block_size;      r
///     uint8 parallelism;     p
///     opaque salt[32];
/// } ScryptParameters;
/// ```
package struct ScryptParameters: Hashable, Sendable, TLSCodable {
    /// The cost in time and memory. The memory is 128 · N · r bytes.
    package struct Cost: Hashable, Sendable {
        let logRounds: UInt8
        let blockSize: UInt8
        let parallelism: UInt8

        /// A low cost for tests, which derive many keys.
        package static let cheap = Cost(logRounds: 10, blockSize: 1, parallelism: 1)

        /// The cost for new vaults and backups. The derivation of a key takes 128 MiB and about a third of a second. An attacker
        /// pays this cost for each guess.
        package static let standard = Cost(logRounds: 17, blockSize: 8, parallelism: 1)

        /// The required memory, in bytes.
        var memory: Int { 128 * Int(blockSize) << Int(logRounds) }

        /// Whether the cost is high enough to protect the key, and low enough for the reader's memory and time.
        var isAllowed: Bool {
            (10...22).contains(logRounds) && (1...32).contains(blockSize) && (1...16).contains(parallelism)
                && memory <= ClientLimits.scryptMemory
        }
    }

    let cost: Cost
    let salt: [UInt8]

    private static let saltLength = 32
    static let encodedLength = 3 + saltLength

    /// Creates parameters with a fresh salt.
    init(_ cost: Cost, random: RandomSource = .system) {
        self.cost = cost
        salt = random.bytes(Self.saltLength)
    }

    /// Reads parameters. Throws an error if the parameters are not allowed.
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        cost = Cost(
            logRounds: try reader.readUInt8(), blockSize: try reader.readUInt8(), parallelism: try reader.readUInt8())
        guard cost.isAllowed else {
            throw .unknownValue(field: "ScryptParameters.log_rounds", value: UInt64(cost.logRounds))
        }
        salt = Array(try reader.readBytes(Self.saltLength))
    }

    package func encode(into writer: inout TLSWriter) {
        writer.write(cost.logRounds)
        writer.write(cost.blockSize)
        writer.write(cost.parallelism)
        writer.writeBytes(salt)
    }

    /// A failure to derive a key from a passphrase.
    enum Failure: Error {
        case emptyPassphrase
        /// The required memory is not available. The value is the size of the required memory in bytes.
        case noMemory(Int)
    }

    /// Derives the key.
    ///
    /// The passphrase is first normalized (Unicode NFC). Another machine may encode the same typed text with other code points.
    func key(from passphrase: String) throws(Failure) -> SymmetricKey {
        let bytes = Array(passphrase.precomposedStringWithCanonicalMapping.utf8)
        guard !bytes.isEmpty else { throw .emptyPassphrase }
        do {
            return try KDF.Scrypt.deriveKey(
                from: bytes, salt: salt, outputByteCount: 32, rounds: 1 << Int(cost.logRounds),
                blockSize: Int(cost.blockSize), parallelism: Int(cost.parallelism))
        } catch {
            // The parameters are allowed, so the library fails only if memory is missing.
            throw .noMemory(cost.memory)
        }
    }
}
