import Crypto
import KithSupport

extension SecretBytes {
    /// Fresh bytes from a generator.
    init(count: Int, from random: inout some RandomNumberGenerator) {
        self.init(count: count) { buffer in
            for index in buffer.indices { buffer[index] = random.next() }
        }
    }

    /// Lends the bytes to a primitive as a key. The key wipes its memory, too.
    func withKey<R>(_ body: (SymmetricKey) throws -> R) rethrows -> R {
        try body(withUnsafeBytes { SymmetricKey(data: $0) })
    }
}
