import NIOCore
import Synchronization

/// How many connections each address has: kept in memory only, and only while they are open.
final class AddressTable: Sendable {
    private struct State {
        var total = 0
        var byAddress: [String: Int] = [:]
    }
    private let state = Mutex(State())
    private let perAddress: Int
    private let inAll: Int

    init(perAddress: Int, inAll: Int) {
        self.perAddress = perAddress
        self.inAll = inAll
    }

    /// Counts a connection in, or returns `false` if there are too many.
    func enter(_ address: String) -> Bool {
        state.withLock { state in
            guard state.total < inAll, state.byAddress[address, default: 0] < perAddress else { return false }
            state.total += 1
            state.byAddress[address, default: 0] += 1
            return true
        }
    }

    /// Counts a connection out again.
    func leave(_ address: String) {
        state.withLock { state in
            guard let count = state.byAddress[address] else { return }
            state.total -= 1
            state.byAddress[address] = count > 1 ? count - 1 : nil
        }
    }
}

extension SocketAddress {
    /// What counts as one address: an IPv4 address, or a network of 64 bits of IPv6 (RFC 6177), of which one customer has
    /// all addresses, and could have a new one for each connection.
    var placeOfOne: String {
        guard case .v6(let address) = self else { return ipAddress ?? "" }
        return withUnsafeBytes(of: address.address.sin6_addr) { bytes in
            // IPv4 through a socket of both (RFC 4291 §2.5.5.2).
            let isIPv4 = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            let parts = isIPv4 ? bytes[12...] : bytes[..<8]
            return (isIPv4 ? "" : "net ") + parts.map { "\($0)" }.joined(separator: ".")
        }
    }
}
