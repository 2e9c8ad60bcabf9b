import ArgumentParser
import Foundation
import KithClient
import KithWire

/// `kith relay status`: shows the state of a running relay.
struct RelayStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Ask a running relay for its health and metrics.",
        discussion: """
            EXAMPLES
              kith relay status                           the relay on this machine
              kith relay status --relay relay.example.org:7443
              kith relay status --metrics 127.0.0.1:9090  with the metrics served there
              kith relay status --metrics 127.0.0.1:9090 --json | jq .metrics

            EXIT CODES
              0  it is ready
              1  it can't be reached, or is not ready
              3  it has another key
              64  wrong usage
            """)

    @Option(
        name: .long, help: ArgumentHelp("The relay to ask. Default: 127.0.0.1:7443.", valueName: "host:port"),
        transform: RelayAddress.read)
    var relay: RelayAddress?

    @Option(
        name: .long, help: "The relay's key, as the relay prints it. Default: the remembered one.",
        transform: RelayPin.read)
    var pin: RelayPin?

    @Option(
        name: .long,
        help: ArgumentHelp("The address of the relay's --metrics.", valueName: "host:port"),
        transform: RelayAddress.read)
    var metrics: RelayAddress?

    @Flag(name: .long, help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await reportingFailure {
            guard let relay = relay ?? RelayAddress("127.0.0.1:7443") else { throw ExitCode.failure }
            let trust = try trust(relay)
            let counts = try await naming(metrics ?? relay) { () async throws(RelayConnectionError) in
                guard let metrics else { return [RelayStatus.Metric]() }
                return try await RelayStatus.metrics(at: metrics)
            }
            let status = try await naming(relay) { () async throws(RelayConnectionError) in
                try await RelayStatus.ask(relay, trust: trust, metrics: counts)
            }
            StandardStream.output.write(json ? report(status, of: relay) : text(status, of: relay))
            if !status.isReady { throw ExitCode.failure }
        }
    }

    /// Runs `ask`. If `ask` throws an error, adds the address to the error.
    private func naming<R>(
        _ address: RelayAddress, _ ask: () async throws(RelayConnectionError) -> R
    ) async throws -> R {
        do throws(RelayConnectionError) {
            return try await ask()
        } catch {
            let code = KithError.relay(error).exitCode
            switch error {
            case .unreachable(let reason): throw Failure(message: "\(address): \(reason)", code: .failure)
            default: throw Failure(message: "\(address): \(error)", code: code == .wrongKey ? code : .failure)
            }
        }
    }

    /// Returns the trusted key. The request contains no secret, so an unknown relay is accepted. The key of an unknown relay is
    /// not stored.
    private func trust(_ relay: RelayAddress) throws -> RelayTrust {
        let known = try pin ?? KnownRelays(home: KithHome()).pin(of: relay)
        return known.map(RelayTrust.pinned) ?? .firstContact
    }

    private func report(_ status: RelayStatus, of relay: RelayAddress) -> String {
        struct Report: Encodable {
            let relay: String
            let ready: Bool
            let health: String
            let pin: String
            let metrics: [String: Double]
        }
        let report = Report(
            relay: relay.description, ready: status.isReady, health: status.health, pin: status.pin.description,
            metrics: Dictionary(status.metrics.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
        return JSONLine.text(report) + "\n"
    }

    private func text(_ status: RelayStatus, of relay: RelayAddress) -> String {
        let lines =
            [("relay", "\(relay)"), ("health", SafeText.oneLine(status.health)), ("pin", "\(status.pin)")]
            + status.metrics.filter { $0.value != 0 }.map { metric in
                (
                    metric.name.hasPrefix("kith_") ? String(metric.name.dropFirst(5)) : metric.name,
                    String(format: "%.0f", metric.value)
                )
            }
        let width = lines.map(\.0.count).max() ?? 0
        return lines.map { name, value in
            SafeText.oneLine(name).padding(toLength: width + 2, withPad: " ", startingAt: 0) + value + "\n"
        }.joined()
    }
}
