/// Secret bytes. The bytes are never printed. A comparison takes constant time. When the last copy is released, the bytes are
/// wiped.
///
/// All copies of a secret share one storage.
public struct SecretBytes: Sendable {
    @usableFromInline let storage: Storage

    /// Copies the bytes. The caller must wipe the original bytes.
    @inlinable
    public init(_ bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { destination in
            _ = destination.initialize(from: bytes)
        }
    }

    /// Creates a secret of `count` zero bytes, into which `initialize` writes the content.
    @inlinable
    public init(count: Int, initializingWith initialize: (UnsafeMutableBufferPointer<UInt8>) throws -> Void) rethrows {
        storage = Storage(count: count)
        try initialize(storage.bytes)
    }

    /// Copies the bytes of a buffer, and wipes the buffer.
    package init(wiping bytes: UnsafeMutableRawBufferPointer) {
        self.init(bytes)
        wipe(bytes)
    }

    /// Copies the bytes of an array, and wipes the array. If a second array shares the memory of the array, the shared memory is
    /// not wiped.
    package init(wiping bytes: inout [UInt8]) {
        self.init(bytes)
        bytes.wipe()
    }

    /// A secret of `count` zero bytes.
    public static func zero(count: Int) -> SecretBytes {
        SecretBytes(count: count) { _ in }
    }

    /// The number of bytes.
    @inlinable public var count: Int { storage.bytes.count }

    /// Passes the bytes to `body`. The pointer is valid only during the call.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// Returns a copy of the bytes, for code that encodes or decodes an array. The copy is *not* wiped.
    public func copyBytes() -> [UInt8] {
        withUnsafeBytes { Array($0) }
    }

    /// The memory of a secret. All copies of the secret share one object.
    @usableFromInline
    final class Storage: @unchecked Sendable {
        // Only the initializer writes the bytes, before any other code can reach them.
        @usableFromInline let bytes: UnsafeMutableBufferPointer<UInt8>

        @usableFromInline
        init(count: Int) {
            bytes = .allocate(capacity: count)
            bytes.initialize(repeating: 0)
        }

        deinit {
            wipe(UnsafeMutableRawBufferPointer(bytes))
            bytes.deallocate()
        }
    }
}

/// Returns `true` if two byte strings are equal. The time depends only on the two lengths.
package func constantTimeEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<left.count { difference |= left[index] ^ right[index] }
    return difference == 0
}

extension SecretBytes: Equatable {
    /// Compares two secrets. The time depends only on the two lengths.
    public static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        left.withUnsafeBytes { l in right.withUnsafeBytes { r in constantTimeEqual(l, r) } }
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows the length, never the content.
    public var description: String { "SecretBytes(\(count) bytes)" }
    /// Shows the length, never the content.
    public var debugDescription: String { description }
    /// A mirror without children. With this mirror, `dump` shows no byte.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
