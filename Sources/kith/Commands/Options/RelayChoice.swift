import ArgumentParser
import Foundation
import KithClient
import KithWire
import PrivateFiles

/// The options that choose a relay.
struct RelayChoice: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The relay to use. Default: the one of your latest conversation.", valueName: "host:port"),
        transform: RelayAddress.read)
    var relay: RelayAddress?

    @Option(
        name: .long, help: "The relay's key, as the relay prints it. Without it, the first contact is remembered.",
        transform: RelayPin.read)
    var pin: RelayPin?

    @Option(name: .long, help: "A file with the pass that the relay requires. It is remembered.")
    var relayPassFile: String?

    /// Whether the user has given any of these options.
    var isGiven: Bool { relay != nil || relayPassFile != nil }

    func validate() throws {
        if relay == nil, pin != nil { throw ValidationError("--pin needs --relay.") }
    }

    /// Returns the chosen relay with its key.
    ///
    /// - Throws: ``Failure`` if no relay was given and the profile has none, if the relay's key has changed, or if the relay does
    ///   not answer in time. ``KithError/relay(_:)`` if the relay cannot be reached.
    func point(for profile: Profile, within time: DurationArgument) async throws -> RelayPoint {
        let used = await profile.relays().map(\.relay)
        guard let relay else {
            let latest = try await profile.conversations().first
            let isLatest = { (point: RelayPoint) in point.address == latest?.relay && point.pin == latest?.relayPin }
            guard let point = used.first(where: isLatest) ?? used.first else {
                throw Failure(
                    message: "no relay is known yet; name one with --relay HOST:PORT, or run one with kith host")
            }
            return try await withGivenPass(point, within: time)
        }
        if let known = used.last(where: { $0.address == relay && $0.pin == pin ?? $0.pin }) {
            return try await withGivenPass(known, within: time)
        }
        let pass = try relayPassFile.map(RelayPass.init(file:))
        let contact = RelayContact(address: relay, pin: pin, pass: pass, known: try .ofThisUser())
        let (found, isFirstContact): (RelayPin, Bool)
        do {
            (found, isFirstContact) = try await Self.answer(of: contact, within: time)
        } catch KithError.relay(let error) where error.isAboutAddress {
            // The relay was asked first, because its operator may have given it the key of `--pin`. The relay has not proved
            // that it has this key.
            if pin != nil, let other = used.first(where: { $0.address == relay }) {
                throw Self.anotherPin(than: other.pin, at: relay)
            }
            throw KithError.relay(error)
        }
        if isFirstContact {
            StandardStream.error.write("[first contact with the relay at \(relay); its key is remembered: \(found)]\n")
        }
        return RelayPoint(address: relay, pin: found, pass: pass)
    }
}

extension RelayChoice {
    /// Connects once. A relay from the command line is remembered only after it has proved its key and accepted the pass.
    ///
    /// - Throws: ``KithError/relay(_:)``. ``Failure`` if the relay does not answer in time, or if its key differs from the known
    ///   key.
    private static func answer(
        of contact: RelayContact, within time: DurationArgument
    ) async throws -> (pin: RelayPin, isFirstContact: Bool) {
        do {
            let (connection, isFirstContact) = try await Self.within(time) { try await contact.connect() }
            await connection.close()
            return (connection.pin, isFirstContact)
        } catch RelayConnectionError.unreachable(.cancelled) {
            throw Failure(message: "not done within \(time): the relay does not answer", code: .notInTime)
        } catch let error as RelayConnectionError {
            throw KithError.relay(error)
        }
    }

    /// If `--relay-pass-file` is given, returns a known relay with the pass in that file, otherwise the relay unchanged. A new
    /// pass is returned only after the relay has accepted it.
    private func withGivenPass(_ relay: RelayPoint, within time: DurationArgument) async throws -> RelayPoint {
        guard let pass = try relayPassFile.map(RelayPass.init(file:)), pass != relay.pass else { return relay }
        let known = try KnownRelays.ofThisUser()
        let contact = RelayContact(address: relay.address, pin: relay.pin, pass: pass, known: known)
        _ = try await Self.answer(of: contact, within: time)
        return RelayPoint(address: relay.address, pin: relay.pin, pass: pass)
    }

    private static func anotherPin(than known: RelayPin, at relay: RelayAddress) -> Failure {
        Failure(
            message: "the relay \(relay) is known here with the key \(known), and --pin names another", code: .wrongKey)
    }

    /// Runs `work` with a time limit; 0 means no limit. `work` must end when its task is cancelled.
    private static func within<R: Sendable>(
        _ time: DurationArgument, _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        let task = Task { try await work() }
        let timer = Task {
            guard time.seconds > 0 else { return }
            try await Task.sleep(for: time.duration)
            task.cancel()
        }
        defer { timer.cancel() }
        return try await task.value
    }

    /// Applies the options to a person whom the profile already knows. If the options name a relay or a key, it must be that of
    /// the person. If the options contain a new pass for the relay, the profile uses the new pass from now on.
    ///
    /// - Parameters:
    ///   - name: the person's name on this device.
    ///   - home: the person's relay.
    ///   - time: maximum time for the relay to accept the pass.
    /// - Throws: ``Failure`` if the options name another relay or another key. ``KithError/relay(_:)`` if the relay refuses the
    ///   pass.
    func apply(to name: String, at home: KnownRelay, of profile: Profile, within time: DurationArgument) async throws {
        if let relay, relay != home.address {
            throw Failure(
                message:
                    "\(name) is known here, at the relay \(home.address); --relay only finds new people, and moves nobody "
                    + "to \(relay)")
        }
        if let pin, pin != home.pin { throw Self.anotherPin(than: home.pin, at: home.address) }
        let used = await profile.relays().map(\.relay)
        guard let known = used.first(where: { $0.address == home.address && $0.pin == home.pin }) else { return }
        let point = try await withGivenPass(known, within: time)
        if point.pass != known.pass { try await profile.setPass(of: point) }
    }
}

extension RelayPass {
    /// Reads a pass from a file, and removes surrounding white space.
    ///
    /// - Throws: ``Failure``.
    init(file path: String) throws {
        guard let content = try PrivateFile(URL(fileURLWithPath: path)).read(limit: 4 * WireLimits.relayPass) else {
            throw Failure(message: "there is no file \(path) with a relay pass")
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Failure(message: "the relay pass in \(path) is not UTF-8 text")
        }
        guard let pass = RelayPass(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Failure(message: "the relay pass in \(path) must have 1 to \(WireLimits.relayPass) bytes")
        }
        self = pass
    }
}
