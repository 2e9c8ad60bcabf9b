/// Bytes that must not leak: wiped when the last copy is released, compared in constant time, never printed.
///
/// Copies share storage, so passing a secret around duplicates nothing.
public struct SecretBytes: Sendable {
    @usableFromInline let storage: Storage

    /// Copies the bytes. The caller wipes its own copy.
    @inlinable
    public init(_ bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { destination in
            _ = destination.initialize(from: bytes)
        }
    }

    /// A secret of `count` bytes that `initialize` fills. Bytes that it does not write are zero.
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

    /// The all-zero secret of a length.
    public static func zero(count: Int) -> SecretBytes {
        SecretBytes(count: count) { _ in }
    }

    /// The number of bytes.
    @inlinable public var count: Int { storage.bytes.count }

    /// Lends the bytes to `body`. They must not outlive it.
    @inlinable
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
    @usableFromInline
    final class Storage: @unchecked Sendable {
        // Only the initializer writes it, before it is shared.
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

/// Whether two byte strings are equal, in time that depends on their lengths only.
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
    /// The length, never the content.
    public var description: String { "SecretBytes(\(count) bytes)" }
    /// The length, never the content.
    public var debugDescription: String { description }
    /// Nothing, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
