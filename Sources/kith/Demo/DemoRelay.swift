import Foundation
import KithClient
import KithWire
import Synchronization

/// The demo's relay: `kith relay` in a separate process, on a free port. The relay's store is in a temporary folder.
final class DemoRelay: Sendable {
    let address: RelayAddress
    let pin: RelayPin
    let data: URL
    private let process: Mutex<DemoProcess>
    private let stage: DemoStage

    private struct Listening: Decodable {
        let event: String
        let address: String
        let pin: String
    }

    init(on stage: DemoStage) async throws {
        self.stage = stage
        data = stage.folder.appendingPathComponent("relay")
        let (process, address, pin) = try await Self.start("127.0.0.1:0", data, on: stage)
        self.process = Mutex(process)
        self.address = address
        self.pin = pin
    }

    private static func start(
        _ listen: String, _ data: URL, on stage: DemoStage
    ) async throws -> (DemoProcess, RelayAddress, RelayPin) {
        let process = try stage.start("relay", ["relay", "--listen", listen, "--data", data.path, "--json"])
        while let line = await process.nextLine() {
            if let listening = try? JSONDecoder().decode(Listening.self, from: Data(line.utf8)),
                listening.event == "listening"
            {
                guard let address = RelayAddress(listening.address), let pin = RelayPin(listening.pin) else { break }
                return (process, address, pin)
            }
        }
        let reason = process.lastComplaint.map { ": \($0)" } ?? ""
        throw Failure(message: "the relay did not start\(reason)")
    }

    /// Kills the relay, which has no chance to finish its work.
    func kill() {
        process.withLock { process in
            process.kill()
            process.waitForDeath()
        }
    }

    /// Starts the relay again, with the same address and the same store.
    func startAgain() async throws {
        let (again, _, pin) = try await Self.start(address.description, data, on: stage)
        guard pin == self.pin else { throw Failure(message: "the relay has another key after its restart") }
        process.withLock { $0 = again }
    }

    /// Returns the relay's content in the form of `kith relay audit`.
    func audit() async throws -> [String] {
        let audit = try stage.start("audit", ["relay", "audit", "--data", data.path])
        audit.endInput()
        var lines: [String] = []
        while let line = await audit.nextLine() { lines.append(line) }
        guard await audit.exitCode(within: 10) == 0 else {
            throw Failure(message: "kith relay audit failed: \(audit.lastComplaint ?? "no reason given")")
        }
        return lines
    }

    /// Whether the relay's files contain the words as plain text.
    func holds(_ words: String) -> Bool {
        guard let files = FileManager.default.enumerator(at: data, includingPropertiesForKeys: nil) else {
            return false
        }
        return files.contains { file in
            guard let url = file as? URL, let content = try? Data(contentsOf: url) else { return false }
            return content.firstRange(of: Data(words.utf8)) != nil
        }
    }

    /// Stops the relay. The effect is that of ctrl-C.
    func stop() async {
        let process = process.withLock { $0 }
        process.terminate()
        _ = await process.exitCode(within: 5)
    }
}
