import Glibc
import NIOCore
import PrivateFiles

/// An error that keeps a relay from listening, or from serving its metrics.
public enum RelayListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system does not let the relay listen on an address. `errno` is the system's reason.
    case cannotListen(on: String, errno: Int32)
    /// The configured host has no address.
    case noSuchHost(String)
    /// The system does not let the relay serve its metrics on an address. `errno` is the system's reason.
    case cannotServeMetrics(on: String, errno: Int32)
    /// The system has closed the listening socket of a running relay.
    case stoppedListening

    /// Whether a different process already listens on the address.
    public var isTaken: Bool {
        if case .cannotListen(_, EADDRINUSE) = self { true } else { false }
    }

    /// One sentence for the operator, without a full stop.
    public var description: String {
        switch self {
        case .cannotListen(let address, let errno): "cannot listen on \(address): \(SystemError(errno).sentence)"
        case .noSuchHost(let address): "cannot listen on \(address): there is no such host"
        case .cannotServeMetrics(let address, let errno):
            "cannot serve metrics on \(address): \(SystemError(errno).sentence)"
        case .stoppedListening: "the system no longer lets the relay accept connections"
        }
    }

    /// Translates an error. Returns `nil` if the error does not concern listening.
    init?(_ error: any Error, _ configuration: RelayConfiguration) {
        func address(_ host: String, _ port: Int) -> String {
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
        let relay = address(configuration.host, configuration.port)
        switch error {
        case let error as RelayServer.MetricsFailure:
            let metrics = address(configuration.metricsHost ?? "", configuration.metricsPort)
            self = .cannotServeMetrics(on: metrics, errno: error.errno)
        case let error as IOError: self = .cannotListen(on: relay, errno: error.errnoCode)
        case is SocketAddressError.UnknownHost: self = .noSuchHost(relay)
        default: return nil
        }
    }
}
