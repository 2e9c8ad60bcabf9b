import Crypto
import KithSupport

extension SecretBytes {
    /// Creates secret random bytes with a generator.
    init(count: Int, from random: inout some RandomNumberGenerator) {
        self.init(count: count) { buffer in
            for index in buffer.indices { buffer[index] = random.next() }
        }
    }

    /// Passes the bytes as a key to `body`. The memory of the key is wiped afterwards.
    func withKey<R>(_ body: (SymmetricKey) throws -> R) rethrows -> R {
        try body(withUnsafeBytes { SymmetricKey(data: $0) })
    }
}
