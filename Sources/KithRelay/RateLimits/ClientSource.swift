import KithWire

/// The source of a connection, as far as costs are charged to it.
struct ClientSource: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The address: one of IPv4, or an IPv6 network of 64 bits, which a provider gives to one customer or device.
    let address: String
    /// The IPv6 network of 48 bits that the address is in; `nil` for IPv4. A machine can have all addresses of one, and a
    /// provider's customers can share one, so it has an allowance of its own, which is several times that of an address.
    let site: String?

    init(address: String, site: String? = nil) {
        self.address = address
        self.site = site
    }

    init(stringLiteral address: String) { self.init(address: address) }

    /// The network that has turns of its own: the site, or the address if it is in none.
    var network: String { site ?? address }
}

/// Names an address, at a channel if there is one, without keeping either: a hash under a key that the process draws when it
/// starts.
enum SourceKey {
    static func of(_ name: String, in channel: ChannelID? = nil) -> Int {
        var hasher = Hasher()
        hasher.combine(channel)
        hasher.combine(name)
        return hasher.finalize()
    }
}
