#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Bytes that must not leak: wiped when the last copy is released, compared in constant time, never printed.
///
/// Every key and secret of this module is one of these. Copies share storage, so passing one around duplicates nothing.
public struct SecretBytes: Sendable {
    private let storage: Storage

    /// Copies the bytes. The caller's copy is the caller's to wipe.
    public init(_ bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { destination in
            _ = destination.initialize(from: bytes)
        }
    }

    /// A secret of `count` bytes that `initialize` fills; bytes it leaves alone are zero.
    public init(count: Int, initializingWith initialize: (UnsafeMutableBufferPointer<UInt8>) throws -> Void) rethrows {
        storage = Storage(count: count)
        try initialize(storage.bytes)
    }

    /// The all-zero secret of a length (RFC 9420 §8: "0 represents the all-zero byte string of length KDF.Nh").
    public static func zero(count: Int) -> SecretBytes {
        SecretBytes(count: count) { _ in }
    }

    /// How many bytes there are.
    public var count: Int { storage.bytes.count }

    /// Lends the bytes to `body`. They must not outlive it.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// A copy that is *not* wiped, for the moment a secret has to enter an encoding.
    public func copyBytes() -> [UInt8] {
        withUnsafeBytes { Array($0) }
    }

    /// The only owner of a secret's memory.
    private final class Storage: @unchecked Sendable {
        // Written only by the initializer that made it, before anyone else can see it: safe to share afterwards.
        let bytes: UnsafeMutableBufferPointer<UInt8>

        init(count: Int) {
            bytes = .allocate(capacity: count)
            bytes.initialize(repeating: 0)
        }

        deinit {
            if let base = bytes.baseAddress { wipe(UnsafeMutableRawPointer(base), bytes.count) }
            bytes.deallocate()
        }
    }
}

/// Zeroes memory in a way that the optimizer keeps.
@inline(__always)
func wipe(_ pointer: UnsafeMutableRawPointer, _ count: Int) {
    #if canImport(Darwin)
        memset_s(pointer, count, 0, count)
    #else
        explicit_bzero(pointer, count)
    #endif
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
func constantTimeEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<left.count { difference |= left[index] ^ right[index] }
    return difference == 0
}

extension SecretBytes: Equatable {
    /// Compares in time that depends on the lengths only.
    public static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        left.withUnsafeBytes { l in right.withUnsafeBytes { r in constantTimeEqual(l, r) } }
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The length, never the content.
    public var description: String { "SecretBytes(\(count) bytes)" }
    /// The length, never the content.
    public var debugDescription: String { description }
    /// Nothing, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
