import KithWire

/// The key packages of an inbox.
public struct KeyPackageShelf: Hashable, Sendable {
    /// Version of the shelf, which rises by one with every deposit and withdrawal.
    public var version: UInt64
    /// Number of one-time packages left.
    public var count: Int
    /// The next one-time package to give out; `nil` if there is none.
    public var next: Item?
    /// The package to give out when no one-time package is left.
    public var lastResort: KeyPackageBytes?

    /// A one-time key package on its shelf.
    public struct Item: Hashable, Sendable {
        /// Position on the shelf: a later deposit has a higher one.
        public let position: UInt64
        /// The key package.
        public let bytes: KeyPackageBytes

        /// A package and its position.
        public init(position: UInt64, bytes: KeyPackageBytes) {
            self.position = position
            self.bytes = bytes
        }
    }

    /// A shelf from its fields.
    public init(version: UInt64 = 0, count: Int = 0, next: Item? = nil, lastResort: KeyPackageBytes? = nil) {
        self.version = version
        self.count = count
        self.next = next
        self.lastResort = lastResort
    }
}
