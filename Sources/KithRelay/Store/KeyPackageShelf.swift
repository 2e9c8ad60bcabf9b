import KithWire

/// The key packages of an inbox.
package struct KeyPackageShelf: Hashable, Sendable {
    /// Version of the shelf, which rises by one with every deposit and withdrawal.
    package var version: UInt64
    /// Number of one-time packages left.
    package var count: Int
    /// The next one-time package to give out; `nil` if there is none.
    package var next: Item?
    /// The package to give out when no one-time package is left.
    package var lastResort: KeyPackageBytes?

    /// A one-time key package on its shelf.
    package struct Item: Hashable, Sendable {
        /// Position on the shelf: a later deposit has a higher one.
        package let position: UInt64
        /// The key package.
        package let bytes: KeyPackageBytes

        /// A package and its position.
        package init(position: UInt64, bytes: KeyPackageBytes) {
            self.position = position
            self.bytes = bytes
        }
    }

    /// A shelf from its fields.
    package init(version: UInt64 = 0, count: Int = 0, next: Item? = nil, lastResort: KeyPackageBytes? = nil) {
        self.version = version
        self.count = count
        self.next = next
        self.lastResort = lastResort
    }
}
