import Crypto
import Foundation

/// Secret bytes: wiped when the last holder lets go of them, compared in constant time, reached only through a closure,
/// and never printed, whatever prints them.
///
/// The storage is swift-crypto's `SymmetricKey`, which wipes itself; what is added is that no description, mirror or
/// dump shows anything of it.
struct SecretBytes: Sendable, Equatable {
    private let storage: SymmetricKey

    /// Takes over the bytes and wipes the buffer they came in.
    init(taking bytes: UnsafeMutableRawBufferPointer) {
        storage = SymmetricKey(data: UnsafeRawBufferPointer(bytes))
        wipe(bytes)
    }

    /// Takes over the bytes and wipes the data they came in.
    init(taking data: inout Data) {
        storage = SymmetricKey(data: data)
        data.withUnsafeMutableBytes { wipe($0) }
    }

    /// Fresh bytes from a generator.
    init(count: Int, from random: inout some RandomNumberGenerator) {
        self = withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { buffer in
            for index in buffer.indices {
                buffer[index] = random.next()
            }
            return SecretBytes(taking: buffer)
        }
    }

    var count: Int { storage.bitCount / 8 }

    /// Lends the bytes as a key to a primitive.
    func withKey<R>(_ body: (SymmetricKey) throws -> R) rethrows -> R { try body(storage) }

    /// Lends the bytes.
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R { try storage.withUnsafeBytes(body) }

    /// Constant in time for equal lengths.
    static func == (one: SecretBytes, other: SecretBytes) -> Bool { one.storage == other.storage }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "SecretBytes(\(count))" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
