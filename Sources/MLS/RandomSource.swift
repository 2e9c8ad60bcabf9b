#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A source of random bytes. It is an argument everywhere, so that tests can repeat a run.
///
/// The KEMs of the post-quantum suites and ECDSA take their randomness inside swift-crypto and do not consult it.
public struct RandomSource: Sendable {
    private let fill: @Sendable (UnsafeMutableRawBufferPointer) -> Void

    /// A source that fills a buffer completely.
    public init(fill: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void) {
        self.fill = fill
    }

    /// The operating system's generator.
    public static let system = RandomSource { buffer in
        var rest = buffer[...]
        // The call gives 256 bytes at most. Swift's own generator asks for eight at a time, and would be asked if it failed.
        while !rest.isEmpty {
            let chunk = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(256))
            guard let base = chunk.baseAddress, getentropy(base, chunk.count) == 0 else { break }
            rest = rest.dropFirst(chunk.count)
        }
        var generator = SystemRandomNumberGenerator()
        for index in rest.indices { buffer[index] = UInt8.random(in: 0...255, using: &generator) }
    }

    /// Fresh public bytes, such as a nonce.
    public func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }

    /// Fresh secret bytes.
    public func secret(_ count: Int) -> SecretBytes {
        SecretBytes(count: count) { fill(UnsafeMutableRawBufferPointer($0)) }
    }
}
