import KithWire

/// The address and the network of a connection, which its costs are charged to.
struct ClientSource: Hashable, Sendable, ExpressibleByStringLiteral {
    /// An IPv4 address, or an IPv6 network of 64 bits, which a provider gives to one customer or device.
    let address: String
    /// The IPv6 network of 48 bits that the address is in; `nil` for IPv4. One machine can have all its addresses, and
    /// a provider's customers can share it, so it has an allowance of its own, several times that of an address.
    let site: String?

    init(address: String, site: String? = nil) {
        self.address = address
        self.site = site
    }

    init(stringLiteral address: String) { self.init(address: address) }

    /// The network that a round serves as one: the site, or the address if it is in none.
    var network: String { site ?? address }
}

/// Keys for an address, or for a pair of an address and a channel, that reveal neither. They are hashes under a key
/// that the process draws when it starts.
enum SourceKey {
    static func of(_ name: String, in channel: ChannelID? = nil) -> Int {
        var hasher = Hasher()
        hasher.combine(channel)
        hasher.combine(name)
        return hasher.finalize()
    }
}
