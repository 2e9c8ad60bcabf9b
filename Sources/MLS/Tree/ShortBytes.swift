import TLSCodec

/// Immutable bytes. A value of 32 bytes is stored inline. A value that is shorter or longer than 32 bytes is stored in an array.
/// A large group has three keys or hashes of 32 bytes per member. Inline storage saves 80 bytes of heap and a pointer for each
/// key or hash.
struct ShortBytes: Hashable, Sendable {
    private enum Storage: Hashable, Sendable {
        case inPlace(UInt64, UInt64, UInt64, UInt64)
        case array([UInt8])
    }

    private let storage: Storage

    init(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else {
            storage = .array(Array(bytes))
            return
        }
        var words = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        storage = .inPlace(words.0, words.1, words.2, words.3)
    }

    var array: [UInt8] {
        if case .array(let bytes) = storage { bytes } else { withUnsafeBytes { Array($0) } }
    }

    var count: Int {
        if case .array(let bytes) = storage { bytes.count } else { 32 }
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch storage {
        case .inPlace(let a, let b, let c, let d): try Swift.withUnsafeBytes(of: (a, b, c, d), body)
        case .array(let bytes): try bytes.withUnsafeBytes(body)
        }
    }

    /// Writes an `opaque x<V>`.
    func encodeOpaque(into writer: inout TLSWriter) { withUnsafeBytes { writer.writeOpaque($0) } }
}
