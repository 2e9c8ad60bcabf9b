import Crypto
import CryptoExtras
import Foundation
import MLS
import TLSCodec

/// How a key is made from a passphrase with scrypt (RFC 7914), as stored beside what the key seals:
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

        /// So cheap that a test may ask for it often.
        package static let cheap = Cost(logRounds: 10, blockSize: 1, parallelism: 1)

        /// What new vaults and backups get: 128 MiB and about a third of a second, which a guess costs too.
        package static let standard = Cost(logRounds: 17, blockSize: 8, parallelism: 1)

        /// The memory that it takes, in bytes.
        var memory: Int { 128 * Int(blockSize) << Int(logRounds) }

        /// Whether it is neither a joke nor an attempt to make the reader run out of memory or patience.
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

    /// Reads parameters that are allowed.
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

    /// Why no key was made from a passphrase.
    enum Failure: Error {
        case emptyPassphrase
        /// There is not this much memory, in bytes.
        case noMemory(Int)
    }

    /// The key.
    ///
    /// The same text typed on another machine may come in other code points, so the passphrase is taken in composed form.
    func key(from passphrase: String) throws(Failure) -> SymmetricKey {
        let bytes = Array(passphrase.precomposedStringWithCanonicalMapping.utf8)
        guard !bytes.isEmpty else { throw .emptyPassphrase }
        do {
            return try KDF.Scrypt.deriveKey(
                from: bytes, salt: salt, outputByteCount: 32, rounds: 1 << Int(cost.logRounds),
                blockSize: Int(cost.blockSize), parallelism: Int(cost.parallelism))
        } catch {
            // The parameters are allowed ones, so memory is all that the library can miss.
            throw .noMemory(cost.memory)
        }
    }
}
