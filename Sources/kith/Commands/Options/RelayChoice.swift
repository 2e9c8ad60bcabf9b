import ArgumentParser
import Foundation
import KithClient
import KithWire

/// Which relay a command is to use.
struct RelayChoice: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The relay to use. Default: the one of your latest conversation.", valueName: "host:port"))
    var relay: RelayAddress?

    @Option(name: .long, help: "The relay's key, as the relay prints it. Without it, the first contact is remembered.")
    var pin: RelayPin?

    @Option(name: .long, help: "A file with the pass that the relay wants.")
    var relayPassFile: String?

    func validate() throws {
        guard relay == nil else { return }
        if pin != nil { throw ValidationError("--pin needs --relay.") }
        if relayPassFile != nil { throw ValidationError("--relay-pass-file needs --relay.") }
    }

    /// The relay, with its key.
    ///
    /// - Throws: ``Failure`` if none was given and the profile uses none yet, if the relay has another key than before, or if
    ///   the time is over; ``KithError/relay(_:)`` if it can't be reached.
    func point(for kith: Kith, within time: Lifetime) async throws -> RelayPoint {
        let used = await kith.relays().map(\.relay)
        guard let relay else {
            let latest = try await kith.conversations().first?.relay
            guard let point = used.first(where: { $0.address == latest }) ?? used.first else {
                throw Failure(
                    message: "no relay is known yet: name one with --relay HOST:PORT, or run one with: kith host")
            }
            return point
        }
        let pass = try relayPassFile.map(RelayPass.init(file:))
        if let pin { return RelayPoint(address: relay, pin: pin, pass: pass) }
        if let point = used.first(where: { $0.address == relay }) {
            return RelayPoint(address: relay, pin: point.pin, pass: pass ?? point.pass)
        }
        let contact = RelayContact(address: relay, pin: nil, pass: pass, known: try .ofThisUser())
        let (connection, isFirstContact): (RelayConnection, Bool)
        do {
            (connection, isFirstContact) = try await Self.within(time) { try await contact.connect() }
        } catch RelayConnectionError.unreachable(.cancelled) {
            throw Failure(message: "not done within \(time): the relay does not answer", code: .notInTime)
        } catch let error as RelayConnectionError {
            throw KithError.relay(error)
        }
        let pin = connection.pin
        await connection.close()
        if isFirstContact {
            StandardStream.error.write("[first contact with the relay at \(relay); its key is remembered: \(pin)]\n")
        }
        return RelayPoint(address: relay, pin: pin, pass: pass)
    }
}

extension RelayChoice {
    /// Does something that ends at once when its task is cancelled, which happens after this time; 0 is for ever.
    private static func within<R: Sendable>(
        _ time: Lifetime, _ work: @escaping @Sendable () async throws -> R
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

    /// Applies the options to somebody who is known here, and so has a relay: a new pass of that relay is used from now on.
    ///
    /// - Parameters:
    ///   - name: what the user calls them.
    ///   - address: their relay.
    /// - Throws: ``Failure`` if the options mean another relay, or another key.
    func apply(to name: String, at address: RelayAddress, of kith: Kith) async throws {
        guard let relay else { return }
        guard relay == address, let known = await kith.relays().map(\.relay).first(where: { $0.address == address })
        else {
            throw Failure(
                message:
                    "\(name) is known here, at the relay \(address); --relay is for finding somebody new, and moves nobody "
                    + "to \(relay)")
        }
        if let pin, pin != known.pin {
            throw Failure(
                message: "the relay \(address) is known here with the key \(known.pin), and --pin names another",
                code: .wrongKey)
        }
        guard let file = relayPassFile else { return }
        try await kith.setPass(of: RelayPoint(address: address, pin: known.pin, pass: try RelayPass(file: file)))
    }
}

extension RelayPass {
    /// The pass in a file, without the space round it.
    ///
    /// - Throws: ``Failure``.
    init(file path: String) throws {
        guard let content = try PrivateFile(URL(fileURLWithPath: path)).read(limit: 4 * WireLimits.relayPass) else {
            throw Failure(message: "there is no file \(path) with a relay pass")
        }
        let text = String(decoding: content, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let pass = RelayPass(text) else {
            throw Failure(message: "the relay pass in \(path) must have 1 to \(WireLimits.relayPass) bytes")
        }
        self = pass
    }
}
