import KithWire

/// The address and the site of a connection. The connection's costs are charged to the address and to the site.
struct ClientSource: Hashable, Sendable, ExpressibleByStringLiteral {
    /// An IPv4 address, or an IPv6 /64 network. Providers give each customer or device at least a /64 network.
    let address: String
    /// The IPv6 /48 network that contains the address; `nil` for IPv4. A /48 network may belong to one machine or to many
    /// customers of a provider, so a site has its own allowance, several times the allowance of an address.
    let site: String?

    init(address: String, site: String? = nil) {
        self.address = address
        self.site = site
    }

    init(stringLiteral address: String) { self.init(address: address) }

    /// The network that gets one share of each round: the site, or the address if there is no site.
    var network: String { site ?? address }
}

/// Keys for an address, or for a pair of an address and a channel. A key is a hash with a random secret, which the process
/// creates at its start. A key reveals neither the address nor the channel.
enum SourceKey {
    static func of(_ name: String, in channel: ChannelID? = nil) -> Int {
        var hasher = Hasher()
        hasher.combine(channel)
        hasher.combine(name)
        return hasher.finalize()
    }
}
