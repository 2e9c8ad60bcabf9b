import Foundation
import KithClient
import KithRelay
import NIOCore

extension RelayServer {
    /// Starts a relay over a store, which is closed if that fails.
    ///
    /// - Throws: ``Failure`` if the address can't be listened on; what the store and the identity throw.
    static func start(
        _ configuration: RelayConfiguration, identity: RelayIdentity, closingOnFailure store: any ChannelStore
    ) async throws -> RelayServer {
        let address = ListenAddress(host: configuration.host, port: configuration.port)
        do {
            return try await start(configuration, identity: identity, store: store)
        } catch let error as RelayServer.MetricsFailure {
            await store.close()
            let place = ListenAddress(host: configuration.metricsHost ?? "", port: configuration.metricsPort)
            throw Failure(message: "cannot serve metrics on \(place): \(SystemError(error.errno).sentence)")
        } catch let error as IOError {
            await store.close()
            throw CannotListen(errno: error.errnoCode, address: address)
        } catch is SocketAddressError.UnknownHost {
            await store.close()
            throw Failure(message: "cannot listen on \(address): there is no such host")
        }
    }

    /// The system does not let a relay listen there.
    struct CannotListen: Error, CustomStringConvertible {
        let errno: Int32
        let address: ListenAddress

        /// Whether another process listens there.
        var isTaken: Bool { errno == EADDRINUSE }
        var description: String { "cannot listen on \(address): \(SystemError(errno).sentence)" }
    }
}
