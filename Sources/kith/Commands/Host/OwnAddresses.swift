import Foundation

/// The addresses of this machine that other machines may be able to reach.
enum OwnAddresses {
    /// Returns this machine's numeric addresses. The first address is the one that most other machines can probably reach.
    /// Without a network, the result is empty.
    static func likely() -> [String] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var found: [(address: String, rank: Int)] = []
        var next = first
        while let entry = next {
            next = entry.pointee.ifa_next
            let flags = Int32(bitPattern: UInt32(entry.pointee.ifa_flags))
            let (isUp, isLoopback) = (flags & flag(IFF_UP) != 0, flags & flag(IFF_LOOPBACK) != 0)
            guard isUp, !isLoopback, let address = entry.pointee.ifa_addr, let text = numeric(address),
                let rank = rank(of: text, interface: String(cString: entry.pointee.ifa_name))
            else { continue }
            found.append((text, rank))
        }
        // Addresses of equal rank keep the order of the interfaces.
        return found.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element.address)
    }

    /// Ranks an address by the chance that other machines can reach it. 0 is the best rank. `nil` if other machines cannot reach
    /// the address.
    static func rank(of address: String, interface: String) -> Int? {
        // These interfaces belong to containers and virtual machines. Only this machine can reach their addresses.
        let isVirtual = ["docker", "veth", "br-", "virbr", "cni", "flannel", "vmnet"].contains {
            interface.hasPrefix($0)
        }
        let penalty = isVirtual ? 10 : 0
        if address.contains(":") {
            // A link-local address has no meaning without its interface. fd00::/8 is a private network.
            if address.lowercased().hasPrefix("fe80") { return nil }
            return (["fc", "fd"].contains { address.lowercased().hasPrefix($0) } ? 4 : 3) + penalty
        }
        let parts = address.split(separator: ".").compactMap { Int($0) }
        guard parts.count == 4 else { return nil }
        switch (parts[0], parts[1]) {
        case (127, _), (169, 254), (0, _): return nil
        case (192, 168): return 1 + penalty
        case (10, _): return 2 + penalty
        case (172, 16...31): return 2 + penalty
        // Customers of a provider share these addresses.
        case (100, 64...127): return 3 + penalty
        default: return 0 + penalty
        }
    }

    private static func flag(_ value: some BinaryInteger) -> Int32 { Int32(truncatingIfNeeded: value) }

    private static func numeric(_ address: UnsafeMutablePointer<sockaddr>) -> String? {
        let length: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = getnameinfo(
            address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard result == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
