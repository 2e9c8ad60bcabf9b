import NIOCore

/// The networks that contain a connection's address. Each network has its own limits.
struct ClientNetworks: Hashable, Sendable {
    struct Network: Hashable, Sendable {
        let name: String
        let most: @Sendable (RelayLimits) -> Int

        static func == (one: Network, other: Network) -> Bool { one.name == other.name }
        func hash(into hasher: inout Hasher) { hasher.combine(name) }
    }

    /// The networks, from the narrowest to the widest. Each network has a limit on its connections.
    let all: [Network]

    /// The source to which costs are charged.
    let source: ClientSource

    init(name: String) {
        self.init(all: [Network(name: name) { $0.connectionsPerAddress }], source: ClientSource(address: name))
    }

    init(_ address: SocketAddress?) {
        guard let address, case .v6(let socket) = address else {
            self.init(name: address?.ipAddress ?? "")
            return
        }
        let bytes = withUnsafeBytes(of: socket.address.sin6_addr) { Array($0) }
        func name(_ bits: Int) -> String {
            "net\(bits) " + bytes[..<(bits / 8)].map { "\($0)" }.joined(separator: ".")
        }
        // This is an IPv4 address on a socket for both versions (RFC 4291 §2.5.5.2).
        if bytes[..<10].allSatisfy({ $0 == 0 }) && bytes[10] == 0xff && bytes[11] == 0xff {
            self.init(name: bytes[12...].map { "\($0)" }.joined(separator: "."))
            return
        }
        let networks = [
            Network(name: name(64)) { $0.connectionsPerAddress },
            Network(name: name(56)) { $0.connectionsPerIPv6Net56 },
            Network(name: name(48)) { $0.connectionsPerIPv6Net48 },
        ]
        self.init(all: networks, source: ClientSource(address: name(64), site: name(48)))
    }

    private init(all: [Network], source: ClientSource) {
        self.all = all
        self.source = source
    }
}
