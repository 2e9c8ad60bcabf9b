import CWipe

/// Zeroes memory. The optimizer cannot remove this call, although the bytes are not read afterwards.
@inlinable
package func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    kith_wipe(start, bytes.count)
}

extension Array where Element == UInt8 {
    /// Zeroes the bytes of this array. Other copies of the array keep their bytes.
    @inlinable
    package mutating func wipe() {
        withUnsafeMutableBytes { KithSupport.wipe($0) }
    }
}
