import Foundation
import KithClient
import KithRelay
import KithSupport
import KithWire
import Logging
import PrivateFiles
import TLSCodec

/// A relay inside this process. Its store and its key are in the profile's folder.
final class HostedRelay: Sendable {
    /// The relay's address and key, for other machines.
    let point: RelayPoint
    /// The relay's address, for clients on this machine.
    let nearby: RelayAddress
    /// Whether the relay has no pass, so that everyone who can reach the port may use the relay. Only an older version created
    /// relays without a pass. A relay without a pass never gets one, because the people who have joined have no pass.
    var isOpen: Bool { point.pass == nil }
    /// Seconds by which this machine's clock is ahead of the relay's time; 0 unless the relay doubts the clock.
    var clockAheadSeconds: Int { relay.clockAheadSeconds }

    private let relay: Relay

    private init(_ relay: Relay, point: RelayPoint, nearby: RelayAddress) {
        self.relay = relay
        self.point = point
        self.nearby = nearby
    }

    /// Starts the relay. Without `listen`, a relay that ran before uses its last port. A new relay uses the usual port. If the
    /// usual port is taken, the new relay uses any free port.
    ///
    /// - Parameters:
    ///   - folder: the profile's folder.
    ///   - listen: the address to listen on, if the user gave one.
    ///   - address: the address for other machines, if the user gave one: a host, with an optional port.
    ///   - known: the profile's relays. If `host.json` is lost, the relay's pass is taken from this list.
    ///   - trustsClock: whether to trust the machine's clock even if it is far ahead of the time of the relay's last run.
    static func start(
        in folder: URL, listen: ListenAddress?, address: HostAddress?, known: [RelayPoint] = [],
        trustsClock: Bool = false
    ) async throws -> HostedRelay {
        let relayFolder = folder.appending(path: "relay", directoryHint: .isDirectory)
        let place = HostPlace(file: PrivateFile(relayFolder.appending(path: "host.json")))
        let before = try place.read()
        var pass = before?.pass
        if before == nil {
            pass = try await passWithoutFile(in: relayFolder, known)
            // The pass is written before the relay can be used, because a used relay without this file counts as one of an older
            // version.
            if let pass { try place.write(HostPlace.Place(isGiven: false, pass: pass)) }
        }
        let seat = Seat(folder: relayFolder, pass: pass.flatMap { RelayPass($0) }, trustsClock: trustsClock)
        let relay = try await serve(seat, listen, before)
        do {
            let publicPort = address?.port ?? before?.publicPort
            let port = publicPort ?? relay.port
            let isGiven = address != nil || before?.isGiven == true
            let host = address?.host ?? publicHost(relay.host, before: before)
            guard let known = RelayAddress(host: host, port: port),
                let nearby = RelayAddress(host: isAny(relay.host) ? "127.0.0.1" : relay.host, port: relay.port)
            else { throw Failure(message: "\(host):\(port) is not an address that others could reach") }
            try place.write(
                HostPlace.Place(
                    host: host, publicPort: publicPort, port: relay.port, listen: listen?.host ?? before?.listen,
                    isGiven: isGiven, pass: pass))
            return HostedRelay(
                relay, point: RelayPoint(address: known, pin: relay.pin, pass: seat.pass), nearby: nearby)
        } catch {
            await relay.stop()
            throw error
        }
    }

    /// Stops the relay, and closes its connections and its store.
    func stop() async { await relay.stop() }

    /// The default port of relays.
    private static let usualPort = 7443

    /// Returns the pass of a relay whose `host.json` is missing:
    ///
    /// - If the profile knows the relay, returns the pass in the profile.
    /// - If the relay is unused, returns a new pass.
    /// - If the relay is used but the profile does not know it, returns `nil`: an older version created the relay, and the
    ///   relay's users have no pass.
    private static func passWithoutFile(in folder: URL, _ known: [RelayPoint]) async throws -> String? {
        let pin = try RelayIdentity.kept(in: folder).pin
        let passes = known.filter { $0.pin == pin }.map(\.pass)
        guard passes.isEmpty else { return passes.compactMap { $0 }.first.map(HostPlace.text(of:)) }
        return try await Relay.isUnused(in: folder) ? HostPlace.freshPass() : nil
    }

    /// The configuration of the relay, without its address.
    private struct Seat {
        let folder: URL
        let pass: RelayPass?
        let trustsClock: Bool
    }

    private static func serve(
        _ seat: Seat, _ listen: ListenAddress?, _ before: HostPlace.Place?
    ) async throws -> Relay {
        func start(_ host: String, _ port: Int) async throws -> Relay {
            var configuration = RelayConfiguration(host: host, port: port)
            configuration.eventLoops = 1
            configuration.limits = .household
            configuration.relayPass = seat.pass
            configuration.trustsClock = seat.trustsClock
            // The log is off, because its lines would appear in the chat.
            configuration.logger = Logger(label: "kith.host") { _ in SwiftLogNoOpLogHandler() }
            return try await Relay.start(in: seat.folder, configuration)
        }
        if let listen { return try await start(listen.host, listen.port) }
        do {
            return try await start(before?.listen ?? "0.0.0.0", before?.port ?? usualPort)
        } catch let error as RelayListenError where error.isTaken {
            guard let port = before?.port else { return try await start("0.0.0.0", 0) }
            throw Failure(
                message:
                    "another process listens on port \(port), which your conversations use; end it, or choose "
                    + "another port with --listen 0.0.0.0:PORT")
        }
    }

    private static func isAny(_ host: String) -> Bool { ["0.0.0.0", "::"].contains(host) }

    /// Returns the host to which other machines connect: the host that the user gave, or the host on which the relay listens, or
    /// an address of this machine. If the public host of the relay's last run is still an address of this machine, returns that
    /// host, because the people who have joined know it.
    private static func publicHost(_ host: String, before: HostPlace.Place?) -> String {
        if let before, before.isGiven, let given = before.host { return given }
        guard isAny(host) else { return host }
        let likely = OwnAddresses.likely()
        if let last = before?.host, likely.contains(last) { return last }
        return likely.first ?? "127.0.0.1"
    }
}

/// An address of this machine for other machines: a host, with an optional port.
struct HostAddress: Hashable, Sendable {
    let host: String
    let port: Int?
}

/// The file that stores a hosted relay's addresses and pass for its next start.
struct HostPlace {
    let file: PrivateFile

    struct Place: Codable, Hashable {
        /// The host for other machines. Missing until the first start of the relay.
        var host: String?
        /// The port for other machines, if the user gave one. If a router forwards another port, this port differs from ``port``.
        /// Missing in files of older versions.
        var publicPort: Int?
        /// The port on which the relay listens.
        var port: Int?
        /// The host on which the relay listens, if the user gave one.
        var listen: String?
        /// Whether the user gave the public host. If the user gave the host, no guess replaces it.
        let isGiven: Bool
        /// The pass in the relay's invites. Missing in files of older versions, whose relays stay open to everyone.
        let pass: String?

        /// Whether the file has all required values. If the relay has started before, the file must have a host and a port. If
        /// the relay has not started yet, the file must have a pass, and no host. A pass must always be valid.
        fileprivate var isComplete: Bool {
            guard pass.map({ RelayPass($0) != nil }) ?? true else { return false }
            guard let port else { return host == nil && pass != nil }
            return host != nil && (1...65_535).contains(port)
        }
    }

    /// Encodes a pass as text for the file.
    static func text(of pass: RelayPass) -> String {
        var reader = TLSReader(pass.encoded)
        return (try? reader.readOpaque()).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Creates a pass of 32 random bytes.
    static func freshPass() -> String {
        Hex.encode((0..<32).map { _ in UInt8.random(in: .min ... .max) })
    }

    private static let limit = 4 << 10

    func read() throws -> Place? {
        guard let content = try file.read(limit: Self.limit) else { return nil }
        guard let place = try? JSONDecoder().decode(Place.self, from: Data(content)), place.isComplete else {
            throw Failure(
                message:
                    "\(file.url.path) is damaged; restore it, or delete it and give --listen and --address again "
                    + "(your profile has the pass as well)")
        }
        return place
    }

    func write(_ place: Place) throws { try file.write(Array((JSONLine.text(place) + "\n").utf8)) }
}
