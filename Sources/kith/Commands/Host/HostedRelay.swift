import Foundation
import KithClient
import KithRelay
import KithSupport
import KithWire
import Logging
import PrivateFiles
import TLSCodec

/// A relay inside of this process, with its store and its key in the folder of a profile.
final class HostedRelay: Sendable {
    /// The relay as others know it.
    let point: RelayPoint
    /// The address at which this process reaches it, whatever lies between it and its own address.
    let nearby: RelayAddress
    /// Whether anybody who reaches the port may use it: it was made by a version that set no pass, and those who joined then
    /// know none.
    var isOpen: Bool { point.pass == nil }
    /// Lead of this machine's clock over the relay's time, in seconds; 0 unless the relay doubts it.
    var clockAheadSeconds: Int { relay.clockAheadSeconds }

    private let relay: Relay

    private init(_ relay: Relay, point: RelayPoint, nearby: RelayAddress) {
        self.relay = relay
        self.point = point
        self.nearby = nearby
    }

    /// Starts the relay: on the port of last time, or else on the usual one, or else on a free one.
    ///
    /// - Parameters:
    ///   - folder: the profile's.
    ///   - listen: where to listen, if the user said so.
    ///   - address: where others reach it, if the user said so: a host, perhaps with a port.
    ///   - known: the profile's relays. If this one is among them, a lost `host.json` does not lose its pass.
    ///   - trustsClock: whether the machine's clock is right, however far it is from when the relay ran last.
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
            // Before anybody can use the relay: one that people use without this file is taken for an older one.
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
            else { throw Failure(message: "\(host):\(port) is no address that others could reach") }
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

    /// Stops the relay: closes every connection, and the store.
    func stop() async { await relay.stop() }

    /// The port of most relays.
    private static let usualPort = 7443

    /// The pass of a relay without `host.json`: the one that the profile knows, or a fresh one if nobody has used the relay.
    /// Otherwise none: an older version made it, and must not get one, because its people know none.
    private static func passWithoutFile(in folder: URL, _ known: [RelayPoint]) async throws -> String? {
        let pin = try RelayIdentity.kept(in: folder).pin
        let passes = known.filter { $0.pin == pin }.map(\.pass)
        guard passes.isEmpty else { return passes.compactMap { $0 }.first.map(HostPlace.text(of:)) }
        return try await Relay.isUnused(in: folder) ? HostPlace.freshPass() : nil
    }

    /// The configuration of the relay, wherever it listens.
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
            // Lines of a log would go into the chat.
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
                    "another process listens on port \(port), where your conversations know this relay; end it, "
                    + "or take another port with --listen 0.0.0.0:PORT")
        }
    }

    private static func isAny(_ host: String) -> Bool { ["0.0.0.0", "::"].contains(host) }

    /// The address of last time if this machine still has it: those who joined know it.
    private static func publicHost(_ host: String, before: HostPlace.Place?) -> String {
        if let before, before.isGiven, let given = before.host { return given }
        guard isAny(host) else { return host }
        let likely = OwnAddresses.likely()
        if let last = before?.host, likely.contains(last) { return last }
        return likely.first ?? "127.0.0.1"
    }
}

/// The address at which others reach this machine: a host, perhaps with a port.
struct HostAddress: Hashable, Sendable {
    let host: String
    let port: Int?
}

/// The place of a hosted relay, so that it is there again.
struct HostPlace {
    let file: PrivateFile

    struct Place: Codable, Hashable {
        /// The host at which others reach it; missing until it has started once, and so is ``port``.
        var host: String?
        /// The port at which others reach it, if the user said so: it may be forwarded. Not in files of older versions.
        var publicPort: Int?
        /// The port at which it listens.
        var port: Int?
        /// The host that it listens on, if the user said so.
        var listen: String?
        /// Whether the user said where others reach it, so that it is not guessed anew.
        let isGiven: Bool
        /// The pass that its invites carry. Not in files of older versions, whose relay stays open to those who joined.
        let pass: String?

        /// Whether it says where the relay was, or is that of a relay which has a pass and has not started yet.
        fileprivate var isComplete: Bool {
            guard pass.map({ RelayPass($0) != nil }) ?? true else { return false }
            guard let port else { return host == nil && pass != nil }
            return host != nil && (1...65_535).contains(port)
        }
    }

    /// A pass as it is written in the file.
    static func text(of pass: RelayPass) -> String {
        var reader = TLSReader(pass.encoded)
        return (try? reader.readOpaque()).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// A pass that nobody guesses: 32 random bytes.
    static func freshPass() -> String {
        Hex.encode((0..<32).map { _ in UInt8.random(in: .min ... .max) })
    }

    private static let limit = 4 << 10

    func read() throws -> Place? {
        guard let content = try file.read(limit: Self.limit) else { return nil }
        guard let place = try? JSONDecoder().decode(Place.self, from: Data(content)), place.isComplete else {
            throw Failure(
                message:
                    "\(file.url.path) is damaged; restore it, or delete it and name --listen and --address again: the "
                    + "pass is in your profile too")
        }
        return place
    }

    func write(_ place: Place) throws { try file.write(Array((JSONLine.text(place) + "\n").utf8)) }
}
