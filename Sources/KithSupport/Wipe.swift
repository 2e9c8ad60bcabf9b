import CWipe

/// Overwrites memory with zeros. The optimizer never removes this call.
@inlinable
package func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    kith_wipe(start, bytes.count)
}

extension Array where Element == UInt8 {
    /// Overwrites the bytes of this array with zeros. If a second array shares the memory, the bytes of that array stay
    /// unchanged.
    @inlinable
    package mutating func wipe() {
        withUnsafeMutableBytes { KithSupport.wipe($0) }
    }
}
