import KithWire

/// The key packages of an inbox.
package struct KeyPackageShelf: Hashable, Sendable {
    /// Version of the shelf. Every deposit and every withdrawal raises the version by one.
    package var version: UInt64
    /// Number of one-time packages on the shelf.
    package var count: Int
    /// The one-time package that is given out next; `nil` if there is none.
    package var next: Item?
    /// The package that is given out when no one-time package is left.
    package var lastResort: KeyPackageBytes?

    /// A one-time key package on a shelf.
    package struct Item: Hashable, Sendable {
        /// Position on the shelf. Later deposits have higher positions.
        package let position: UInt64
        /// The key package.
        package let bytes: KeyPackageBytes

        /// Creates an item from a position and a package.
        package init(position: UInt64, bytes: KeyPackageBytes) {
            self.position = position
            self.bytes = bytes
        }
    }

    /// Creates a shelf from its fields.
    package init(version: UInt64 = 0, count: Int = 0, next: Item? = nil, lastResort: KeyPackageBytes? = nil) {
        self.version = version
        self.count = count
        self.next = next
        self.lastResort = lastResort
    }
}
