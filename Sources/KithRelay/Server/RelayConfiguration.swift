import Foundation
import KithWire
import Logging
import NIOCore

/// The configuration of a relay.
public struct RelayConfiguration: Sendable {
    /// The place where a relay keeps its channels.
    public enum Storage: Sendable {
        /// In the relay's folder. Every message that the relay has acknowledged is on the disk.
        case folder
        /// In memory. When the relay stops, everything is lost except the relay's key.
        case memory
    }

    /// The source of the relay's key and certificate.
    public enum Identity: Sendable {
        /// The key and certificate in the relay's folder. In a new folder, the relay creates a key and a certificate.
        case kept
        /// The key and certificate in the relay's folder. The relay creates a missing key even if the folder has a store. Clients
        /// that know the old key refuse the new key.
        case renewed
        /// Two PEM files.
        case files(certificate: URL, key: URL)
    }

    /// The address on which the relay listens.
    public var host: String
    /// The port on which the relay listens; 0 for any free port.
    public var port: Int
    /// The place where channels are kept. Only ``Relay`` uses this value.
    public var storage = Storage.folder
    /// The source of the relay's key and certificate. Only ``Relay`` uses this value.
    public var identity = Identity.kept
    /// The host that serves `/metrics` in plain HTTP; `nil` to serve no metrics.
    public var metricsHost: String?
    /// The port that serves `/metrics`; 0 for any free port.
    public var metricsPort = 0
    /// The limits that the relay enforces.
    public var limits = RelayLimits()
    /// A secret that clients have to send; `nil` if the relay serves every client.
    public var relayPass: RelayPass?
    /// Number of threads that serve connections.
    public var eventLoops = System.coreCount
    /// The logger. The relay's log lines never name a person, a channel or a client's address.
    public var logger = Logger(label: "kith.relay")
    /// Called on any thread when a burst of connections is over. The end of a burst is a good time to return memory to the
    /// system.
    public var burstIsOver: @Sendable () -> Void = {}
    /// Returns the time of day, in milliseconds since 1970.
    package var nowMs: @Sendable () -> UInt64 = { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }
    /// Whether the relay, when it starts, trusts the machine's clock even if the clock is far ahead of the time that the relay
    /// noted last. If `false`, and the clock is more than a day ahead, the relay accepts the clock's time only after a day of
    /// running time. A time that is not accepted yet causes no deletion. A jump of the clock by more than a day while the relay
    /// runs is treated in the same way, whatever this value is.
    public var trustsClock = false
    /// Returns nanoseconds on a monotonic clock with any starting point. All rates are measured with this clock.
    package var uptime: @Sendable () -> Int64 = { Int64(NIODeadline.now().uptimeNanoseconds) }

    /// Creates a configuration for an address. All other settings have their default values.
    public init(host: String = "127.0.0.1", port: Int = 0) {
        self.host = host
        self.port = port
    }
}
