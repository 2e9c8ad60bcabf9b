import NIOCore
import NIOPosix
import NIOSSL

extension RelayConnectionError {
    /// Translates an error that the network library has reported while connecting.
    ///
    /// - Parameter lookup: the lookup of the host, if that lookup may have caused the error.
    init(connecting error: any Error, lookup: HostLookup? = nil) {
        switch error {
        case let error as RelayConnectionError:
            self = error
        case let error as NIOConnectionError:
            // This reports the failure of the last address that was tried. If the host has no address, it reports the lookup's
            // failure.
            if let last = error.connectionErrors.last {
                self = Self(connecting: last.error)
            } else {
                self = lookup?.failure ?? .unreachable(.unknownHost)
            }
        case let error where Self.isEnd(error):
            self = .notARelay(.saidNothing)
        case let error as IOError:
            self = .unreachable(error.errnoCode == ECONNREFUSED ? .connectionRefused : .system(errno: error.errnoCode))
        case ChannelError.connectTimeout:
            // If no address is known by now, the name server has not answered.
            self = lookup?.failure ?? .unreachable(.timedOut)
        case is NIOSSLError, is BoringSSLError:
            self = .notARelay(.noTLS)
        default:
            self = .unreachable(.other)
        }
    }

    /// Whether an error during the handshake only means that the other side has closed or cut the connection.
    static func isEnd(_ error: any Error) -> Bool {
        switch error {
        case ChannelError.eof, ChannelError.inputClosed, ChannelError.ioOnClosedChannel: true
        case let error as NIOSSLError:
            [.uncleanShutdown, .handshakeFailed(.zeroReturn), .handshakeFailed(.sslError([.eofDuringHandshake]))]
                .contains(error)
        case let error as IOError: [ECONNRESET, EPIPE, ECONNABORTED].contains(error.errnoCode)
        default: false
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
