import Dispatch
import NIOCore
import NIOPosix
import PrivateFiles
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Looks up the addresses of a host with the system's resolver. If the lookup finds no address, stores the reason: the name does
/// not exist, or no name server answers.
///
/// The system's call cannot be cancelled. Therefore each lookup has its own thread, and no code waits for the end of that thread.
final class HostLookup: Resolver, Sendable {
    private enum Outcome {
        case pending
        case found
        case failed(RelayConnectionError)
    }

    private let ipv4: EventLoopPromise<[SocketAddress]>
    private let ipv6: EventLoopPromise<[SocketAddress]>
    private let outcome = Mutex(Outcome.pending)

    init(on loop: any EventLoop) {
        ipv4 = loop.makePromise()
        ipv6 = loop.makePromise()
    }

    deinit {
        // This completes the promises of a lookup that was never started. The promises of all other lookups are already
        // completed.
        for answer in [ipv4, ipv6] { answer.fail(RelayConnectionError.unreachable(.cancelled)) }
    }

    /// The reason why the lookup has found no address; `nil` if it has found one. Before the system has answered, the reason is
    /// `noNameServer`.
    var failure: RelayConnectionError? {
        outcome.withLock { outcome in
            switch outcome {
            case .pending: .unreachable(.noNameServer)
            case .found: nil
            case .failed(let error): error
            }
        }
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { ipv4.futureResult }

    /// NIO calls this function first. One call of the system returns both the IPv6 and the IPv4 addresses.
    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        DispatchQueue(label: "kith.host-lookup").async {
            switch Self.addresses(of: host, port) {
            case .success(let addresses):
                self.outcome.withLock { $0 = .found }
                self.ipv4.succeed(addresses.filter { $0.protocol == .inet })
                self.ipv6.succeed(addresses.filter { $0.protocol == .inet6 })
            case .failure(let error):
                self.outcome.withLock { $0 = .failed(error) }
                self.ipv4.fail(error)
                self.ipv6.fail(error)
            }
        }
        return ipv6.futureResult
    }

    func cancelQueries() {
        // The system's call ends later, and its result is ignored.
    }

    private static func addresses(
        of host: String, _ port: Int
    ) -> Result<[SocketAddress], RelayConnectionError> {
        var hints = addrinfo()
        hints.ai_socktype = streamKind
        var first: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, "\(port)", &hints, &first)
        guard result == 0, let first else { return .failure(.unreachable(reason(result))) }
        defer { freeaddrinfo(first) }
        var addresses: [SocketAddress] = []
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let info = next?.pointee {
            next = info.ai_next
            guard let address = info.ai_addr else { continue }
            switch info.ai_family {
            case AF_INET:
                address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee, host: host))
                }
            case AF_INET6:
                address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee, host: host))
                }
            default: continue
            }
        }
        return addresses.isEmpty ? .failure(.unreachable(.unknownHost)) : .success(addresses)
    }

    #if canImport(Glibc)
        private static let streamKind = Int32(SOCK_STREAM.rawValue)
    #else
        private static let streamKind = SOCK_STREAM
    #endif

    private static func reason(_ result: Int32) -> RelayConnectionError.Unreachable {
        switch result {
        case EAI_AGAIN, EAI_FAIL: .noNameServer
        case EAI_SYSTEM: .system(errno: lastError())
        default: .unknownHost
        }
    }
}
