/// Where random bytes come from. An argument everywhere, so that tests can repeat a run.
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
        var generator = SystemRandomNumberGenerator()
        var offset = 0
        while offset < buffer.count {
            let word = generator.next()
            withUnsafeBytes(of: word) { bytes in
                let count = min(8, buffer.count - offset)
                buffer[offset..<(offset + count)].copyBytes(from: bytes[..<count])
            }
            offset += 8
        }
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
