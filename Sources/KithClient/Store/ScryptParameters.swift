import Crypto
import CryptoExtras
import Foundation
import MLS
import TLSCodec

/// The parameters of scrypt (RFC 7914) for a key from a passphrase, as stored beside the sealed data:
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
    /// The cost in time and memory; the memory is 128 · N · r bytes.
    package struct Cost: Hashable, Sendable {
        let logRounds: UInt8
        let blockSize: UInt8
        let parallelism: UInt8

        /// Cheap enough for tests that use it often.
        package static let cheap = Cost(logRounds: 10, blockSize: 1, parallelism: 1)

        /// The cost for new vaults and backups: 128 MiB and about a third of a second, for each guess too.
        package static let standard = Cost(logRounds: 17, blockSize: 8, parallelism: 1)

        /// Memory, in bytes.
        var memory: Int { 128 * Int(blockSize) << Int(logRounds) }

        /// Whether the cost protects the key, and does not exhaust the reader's memory or take too long.
        var isAllowed: Bool {
            (10...22).contains(logRounds) && (1...32).contains(blockSize) && (1...16).contains(parallelism)
                && memory <= ClientLimits.scryptMemory
        }
    }

    let cost: Cost
    let salt: [UInt8]

    private static let saltLength = 32
    static let encodedLength = 3 + saltLength

    /// Parameters with a fresh salt.
    init(_ cost: Cost, random: RandomSource = .system) {
        self.cost = cost
        salt = random.bytes(Self.saltLength)
    }

    /// Reads parameters and checks that they are allowed.
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

    /// A failure to make a key from a passphrase.
    enum Failure: Error {
        case emptyPassphrase
        /// There is not enough memory for this many bytes.
        case noMemory(Int)
    }

    /// The key.
    ///
    /// Another machine may encode the same typed text in other code points, so the passphrase is first normalized
    /// (Unicode NFC).
    func key(from passphrase: String) throws(Failure) -> SymmetricKey {
        let bytes = Array(passphrase.precomposedStringWithCanonicalMapping.utf8)
        guard !bytes.isEmpty else { throw .emptyPassphrase }
        do {
            return try KDF.Scrypt.deriveKey(
                from: bytes, salt: salt, outputByteCount: 32, rounds: 1 << Int(cost.logRounds),
                blockSize: Int(cost.blockSize), parallelism: Int(cost.parallelism))
        } catch {
            // The parameters are allowed, so the library can only lack memory.
            throw .noMemory(cost.memory)
        }
    }
}
