/// Secret bytes. They are wiped when the last copy is released, compared in constant time, and never printed.
///
/// Copies share storage, so passing a secret on duplicates no bytes.
public struct SecretBytes: Sendable {
    @usableFromInline let storage: Storage

    /// Copies the bytes. The caller has to wipe its own copy.
    @inlinable
    public init(_ bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { destination in
            _ = destination.initialize(from: bytes)
        }
    }

    /// Creates a secret of `count` bytes, which `initialize` fills. Bytes that `initialize` does not write are zero.
    @inlinable
    public init(count: Int, initializingWith initialize: (UnsafeMutableBufferPointer<UInt8>) throws -> Void) rethrows {
        storage = Storage(count: count)
        try initialize(storage.bytes)
    }

    /// Moves bytes out of a buffer and wipes the buffer.
    package init(wiping bytes: UnsafeMutableRawBufferPointer) {
        self.init(bytes)
        wipe(bytes)
    }

    /// Moves bytes out of an array and wipes the array, unless another copy shares its memory.
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

    /// Passes the bytes to `body`, which must not keep a pointer to them.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// Returns a copy that is *not* wiped, for a secret that becomes part of an encoding.
    public func copyBytes() -> [UInt8] {
        withUnsafeBytes { Array($0) }
    }

    /// The only owner of a secret's memory.
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

/// Returns `true` if two byte strings are equal. The time depends on their lengths only.
package func constantTimeEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
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
    /// Shows the length, never the content.
    public var description: String { "SecretBytes(\(count) bytes)" }
    /// Shows the length, never the content.
    public var debugDescription: String { description }
    /// Has no children, so that `dump` shows no byte.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
