import CWipe

/// Zeroes memory. The optimizer keeps the call, although the bytes are not read afterwards.
@inlinable
package func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    kith_wipe(start, bytes.count)
}

extension Array where Element == UInt8 {
    /// Zeroes the bytes. Other copies of the array keep theirs.
    @inlinable
    package mutating func wipe() {
        withUnsafeMutableBytes { KithSupport.wipe($0) }
    }
}
