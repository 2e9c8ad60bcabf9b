#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A source of random bytes. Functions that need random bytes take a source as an argument. With a fixed source, a test can
/// repeat a run.
///
/// Two operations use swift-crypto's random numbers and no source: encapsulation in the post-quantum suites, and signing with
/// ECDSA or ML-DSA.
public struct RandomSource: Sendable {
    private let fill: @Sendable (UnsafeMutableRawBufferPointer) -> Void

    /// Creates a source from a function. The function must fill the whole buffer.
    public init(fill: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void) {
        self.fill = fill
    }

    /// The operating system's generator.
    public static let system = RandomSource { buffer in
        var rest = buffer[...]
        // One call of `getentropy` returns at most 256 bytes. If a call fails, Swift's own generator is used, which returns
        // only eight bytes at a time.
        while !rest.isEmpty {
            let chunk = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(256))
            guard let base = chunk.baseAddress, getentropy(base, chunk.count) == 0 else { break }
            rest = rest.dropFirst(chunk.count)
        }
        var generator = SystemRandomNumberGenerator()
        for index in rest.indices { buffer[index] = UInt8.random(in: 0...255, using: &generator) }
    }

    /// Returns random bytes that need not stay secret, such as a nonce.
    public func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }

    /// Returns random secret bytes.
    public func secret(_ count: Int) -> SecretBytes {
        SecretBytes(count: count) { fill(UnsafeMutableRawBufferPointer($0)) }
    }
}
