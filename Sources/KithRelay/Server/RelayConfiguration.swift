import Foundation
import KithWire
import Logging
import NIOCore

/// The configuration that a relay is started with.
public struct RelayConfiguration: Sendable {
    /// Where a relay keeps its channels.
    public enum Storage: Sendable {
        /// In the relay's folder. A message that the relay has acknowledged is on the disk.
        case folder
        /// In memory: everything but the relay's key is gone when the relay stops.
        case memory
    }

    /// The key and certificate that a relay shows.
    public enum Identity: Sendable {
        /// Those in the relay's folder. They are made there when the folder is new.
        case kept
        /// As ``kept``, but also made where they are missing beside a store. Clients that know the old key refuse the new one.
        case renewed
        /// Those in two PEM files.
        case files(certificate: URL, key: URL)
    }

    /// The address to listen on.
    public var host: String
    /// The port to listen on; 0 takes a free one.
    public var port: Int
    /// Where channels are kept. ``Relay`` reads it.
    public var storage = Storage.folder
    /// The relay's key and certificate. ``Relay`` reads it.
    public var identity = Identity.kept
    /// The host that `/metrics` is served on, in plain HTTP; `nil` for none.
    public var metricsHost: String?
    /// The port that `/metrics` is served on; 0 takes a free one.
    public var metricsPort = 0
    /// The limits that the relay enforces.
    public var limits = RelayLimits()
    /// A secret that clients have to show; `nil` if the relay serves everybody.
    public var relayPass: RelayPass?
    /// Threads that serve connections.
    public var eventLoops = System.coreCount
    /// The log. Nothing in it names a person, a channel or an address of a client.
    public var logger = Logger(label: "kith.relay")
    /// Called when a burst of connections is over, on no particular thread: the time to give memory back.
    public var burstIsOver: @Sendable () -> Void = {}
    /// The time of day, in milliseconds since 1970.
    public var nowMs: @Sendable () -> UInt64 = { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }
    /// Whether the clock is right, however far it is from the time that the relay noted last. Otherwise a clock that jumped
    /// ahead deletes nothing for a day.
    public var trustsClock = false
    /// Nanoseconds on a clock that nobody sets, from any beginning. Rates are measured by it.
    public var uptime: @Sendable () -> Int64 = { Int64(NIODeadline.now().uptimeNanoseconds) }

    /// A relay on this address with everything else at its default.
    public init(host: String = "127.0.0.1", port: Int = 0) {
        self.host = host
        self.port = port
    }
}
