import NIOCore
import NIOPosix
import NIOSSL

extension RelayConnectionError {
    /// What an error of the network library, while connecting, means.
    init(connecting error: any Error) {
        switch error {
        case let error as RelayConnectionError:
            self = error
        case let error as NIOConnectionError:
            // Of all the addresses that were tried, the last one's failure; none, if the name stands for no address.
            if let last = error.connectionErrors.last {
                self = Self(connecting: last.error)
            } else {
                self = .unreachable(.unknownHost)
            }
        case let error as IOError:
            self = .unreachable(error.errnoCode == ECONNREFUSED ? .connectionRefused : .system(errno: error.errnoCode))
        case ChannelError.connectTimeout:
            self = .unreachable(.timedOut)
        case is NIOSSLError, is BoringSSLError:
            self = .notARelay(.noTLS)
        default:
            self = .unreachable(.other)
        }
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif
