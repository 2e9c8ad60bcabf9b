import KithWire
import NIOCore
import NIOSSL
import Synchronization

/// Checks a relay's key in the TLS handshake, instead of a certificate chain. If the key is wrong, nothing is sent to the relay.
final class PinCheck: Sendable {
    private let trust: RelayTrust
    private let seen = Mutex<RelayPin?>(nil)

    init(_ trust: RelayTrust) { self.trust = trust }

    /// The relay's key. The value is available even if the key was refused.
    var found: RelayPin? { seen.withLock { $0 } }

    /// The error to report if the relay has a wrong key.
    var mismatch: RelayConnectionError? {
        guard case .pinned(let expected) = trust, let found, found != expected else { return nil }
        return .pinMismatch(expected: expected, found: found)
    }

    func makeTLSHandler(for address: RelayAddress) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(
            context: try Self.context.get(), serverHostname: address.isIPAddress ? nil : address.host,
            customVerificationCallback: { certificates, promise in
                promise.succeed(self.accepts(certificates.first) ? .certificateVerified : .failed)
            })
    }

    private func accepts(_ certificate: NIOSSLCertificate?) -> Bool {
        guard let certificate, let pin = try? RelayPin(of: certificate) else { return false }
        seen.withLock { $0 = pin }
        return mismatch == nil
    }

    /// One context for all connections. The context contains no secret and no data of a relay, so all connections may use it.
    private static let context = Result { try NIOSSLContext(configuration: configuration) }

    private static var configuration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["http/1.1"]
        // The pin replaces the check of roots and names. TLS calls the callback only if verification is on.
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([])
        configuration.shutdownTimeout = ClientLimits.goodbye
        return configuration
    }
}

extension RelayAddress {
    /// Whether the host is an IP address. TLS does not allow IP addresses as server names (RFC 6066 §3).
    var isIPAddress: Bool { (try? SocketAddress(ipAddress: host, port: port)) != nil }
}
