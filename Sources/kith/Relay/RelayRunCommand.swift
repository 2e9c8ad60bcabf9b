import ArgumentParser
import Foundation
import KithClient
import KithRelay
import KithWire
import Logging

/// `kith relay run`: runs a relay until it is stopped.
struct RelayRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a relay until it is stopped with ctrl-C or SIGTERM.",
        discussion: """
            The relay makes its key at its first start, and prints the pin by which clients recognise it. Everything it \
            acknowledges is on disk.

            EXAMPLES
              kith relay                                     this machine only, port 7443
              kith relay --listen 0.0.0.0:7443               for other machines, too
              kith relay --listen 127.0.0.1:0 --data /tmp/r  a free port
              kith relay --limit requests-per-second=1000    with another limit
              kith relay --metrics 127.0.0.1:9090            with metrics for a monitor

            EXIT CODES
              0  stopped when asked
              1  error: it could not start, or could not go on
              64  wrong usage
            """)

    @OptionGroup var store: RelayStoreOptions

    @Option(name: .long, help: "The address to listen on. Port 0 takes a free one.", transform: ListenAddress.read)
    var listen = ListenAddress(host: "127.0.0.1", port: 7443)

    @Flag(name: .long, help: "Store nothing on disk: everything is lost when the relay stops.")
    var memory = false

    @Option(name: .long, help: "A PEM file with a certificate, in place of the relay's own.")
    var certificate: String?

    @Option(name: .long, help: "A PEM file with that certificate's private key.")
    var key: String?

    @Option(name: .long, help: "A file with a pass that clients must present.")
    var relayPassFile: String?

    @Flag(name: .long, help: "Trust a clock that is far ahead of the relay's last run at once, not only after a day.")
    var trustClock = false

    @Option(
        name: .long,
        help: ArgumentHelp("Serve metrics in plain HTTP here, for monitoring.", valueName: "host:port"),
        transform: ListenAddress.read)
    var metrics: ListenAddress?

    @Flag(name: .long, help: "Make a new key if the store has lost its own. Clients refuse the new key.")
    var newIdentity = false

    @Option(name: .long, help: "Override a limit, as NAME=VALUE. May be repeated.")
    var limit: [String] = []

    @Option(name: .long, help: "Threads for connections. Default: the number of cores.")
    var threads: Int?

    @Option(name: .long, help: "Log level: trace, debug, info, notice, warning or error.")
    var logLevel: Logger.Level = .notice

    @Flag(name: .long, help: "Print one JSON object a line.")
    var json = false

    func validate() throws {
        if (certificate == nil) != (key == nil) { throw ValidationError("--certificate and --key go together.") }
        if newIdentity, key != nil { throw ValidationError("--new-identity and --key exclude each other.") }
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads takes 1 to 256.") }
        _ = try limits()
    }

    private func limits() throws -> RelayLimits {
        var limits = RelayLimits()
        for text in limit {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let value = Int(parts[1]), limits.override(parts[0], with: value) else {
                throw ValidationError(
                    "--limit \(text): not a limit, or a value out of range. Limits: "
                        + RelayLimits.names.joined(separator: ", "))
            }
        }
        return limits
    }

    func run() async throws {
        try await reportingFailure { try await serve() }
    }

    private func serve() async throws {
        raiseFileLimit()
        makeAllocatorGiveBack()
        var configuration = RelayConfiguration(host: listen.host, port: listen.port)
        configuration.limits = try limits()
        configuration.trustsClock = trustClock
        if let threads { configuration.eventLoops = threads }
        var logger = Logger(label: "kith.relay") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        configuration.logger = logger
        configuration.burstIsOver = returnFreeMemory
        configuration.metricsHost = metrics?.host
        configuration.metricsPort = metrics?.port ?? 0
        if let relayPassFile { configuration.relayPass = try RelayPass(file: relayPassFile) }

        configuration.storage = memory ? .memory : .folder
        if let certificate, let key {
            configuration.identity = .files(certificate: URL(filePath: certificate), key: URL(filePath: key))
        } else if newIdentity {
            configuration.identity = .renewed
        }
        try await runUntilSignal(configuration)
    }

    private func runUntilSignal(_ configuration: RelayConfiguration) async throws {
        let folder = store.folder
        let signals = StopSignals()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Relay.run(in: folder, configuration) { relay in
                    if !memory { OpenFiles.warn(in: folder) }
                    announce(relay, folder)
                }
            }
            group.addTask { await signals.wait() }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func announce(_ relay: Relay, _ folder: URL) {
        let address = ListenAddress(host: relay.host, port: relay.port).description
        if json {
            JSONLine.print(
                JSONEvent(
                    "listening",
                    [
                        "address": .text(address), "pin": .text("\(relay.pin)"),
                        "data": memory ? nil : .text(folder.path),
                        "metrics": metricsAddress(relay).map(JSONValue.text),
                    ]))
        } else {
            StandardStream.output.write(
                "listening on \(address)\npin: \(relay.pin)\n"
                    + (memory ? "keeping nothing on disk\n" : "data: \(folder.path)\n")
                    + (metricsAddress(relay).map { "metrics: http://\($0)/metrics\n" } ?? ""))
        }
    }

    private func metricsAddress(_ relay: Relay) -> String? {
        guard let metrics, let port = relay.metricsPort else { return nil }
        return ListenAddress(host: metrics.host, port: port).description
    }
}

/// The option that names the relay's folder.
struct RelayStoreOptions: ParsableArguments {
    @Option(name: .long, help: "The relay's folder. Default: $KITH_HOME/relay or $XDG_DATA_HOME/kith/relay.")
    var data: String?

    var folder: URL {
        data.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? KithHome().folder.appending(path: "relay")
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
