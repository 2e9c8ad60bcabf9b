import KithWire

/// The key packages of an inbox.
public struct KeyPackageShelf: Hashable, Sendable {
    /// Goes up by one with every deposit and withdrawal.
    public var version: UInt64
    /// How many one-time packages are left.
    public var count: Int
    /// The next one-time package to give out.
    public var next: Item?
    /// The package to give out when no one-time package is left.
    public var lastResort: KeyPackageBytes?

    /// A one-time key package on its shelf.
    public struct Item: Hashable, Sendable {
        /// Its place: a later deposit has a higher one.
        public let position: UInt64
        /// The key package.
        public let bytes: KeyPackageBytes

        /// A package and its place.
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
