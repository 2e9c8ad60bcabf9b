import Foundation
import KithWire
import Logging
import NIOCore

/// The configuration of a relay.
public struct RelayConfiguration: Sendable {
    /// The place where a relay keeps its channels.
    public enum Storage: Sendable {
        /// The relay's folder. A message that the relay has acknowledged is on the disk.
        case folder
        /// Memory: everything except the relay's key is gone when the relay stops.
        case memory
    }

    /// The source of the relay's key and certificate.
    public enum Identity: Sendable {
        /// The relay's folder. If the folder is new, they are created there.
        case kept
        /// The relay's folder, where they are also created if only the store is there. Clients that know the old key
        /// refuse the new one.
        case renewed
        /// Two PEM files.
        case files(certificate: URL, key: URL)
    }

    /// The address to listen on.
    public var host: String
    /// The port to listen on; 0 for any free one.
    public var port: Int
    /// The place where channels are kept. ``Relay`` reads it.
    public var storage = Storage.folder
    /// The relay's key and certificate. ``Relay`` reads it.
    public var identity = Identity.kept
    /// The host that serves `/metrics` in plain HTTP; `nil` for none.
    public var metricsHost: String?
    /// The port that serves `/metrics`; 0 for any free one.
    public var metricsPort = 0
    /// The limits that the relay enforces.
    public var limits = RelayLimits()
    /// A secret that clients have to send; `nil` if the relay serves every client.
    public var relayPass: RelayPass?
    /// Threads that serve connections.
    public var eventLoops = System.coreCount
    /// The log. No line of it names a person, a channel or an address of a client.
    public var logger = Logger(label: "kith.relay")
    /// Called when a burst of connections is over, on any thread: the moment to return memory to the system.
    public var burstIsOver: @Sendable () -> Void = {}
    /// The time of day, in milliseconds since 1970.
    package var nowMs: @Sendable () -> UInt64 = { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }
    /// Whether the clock is right, however far it is from the time that the relay noted last. If `false`, a clock that
    /// jumped ahead deletes nothing for a day.
    public var trustsClock = false
    /// Nanoseconds on a monotonic clock, from any starting point. Rates are measured by it.
    package var uptime: @Sendable () -> Int64 = { Int64(NIODeadline.now().uptimeNanoseconds) }

    /// A configuration for this address, with default values otherwise.
    public init(host: String = "127.0.0.1", port: Int = 0) {
        self.host = host
        self.port = port
    }
}
