import KithWire

/// A relay's answer to `hello`.
package struct RelayWelcome: Hashable, Sendable {
    /// The protocol version of the connection.
    package let version: UInt16
    /// The relay's id: 16 random bytes. The id does not change as long as the relay keeps its store.
    package let relayID: [UInt8]
    /// The limits that the relay asks its clients to observe.
    package let limits: AdvertisedLimits
    /// The time of the relay's clock when it answered, in milliseconds since 1970.
    package let timeMs: UInt64
}
