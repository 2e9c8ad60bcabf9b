import Foundation
import KithClient
import KithWire

/// The relay of the demo: a `kith relay` in a process of its own, on a free port, with its store in a temporary folder.
final class DemoRelay: Sendable {
    let address: RelayAddress
    let pin: RelayPin
    let data: URL
    private let process: DemoProcess
    private let stage: DemoStage

    private struct Listening: Decodable {
        let event: String
        let address: String
        let pin: String
    }

    init(on stage: DemoStage) async throws {
        self.stage = stage
        data = stage.folder.appendingPathComponent("relay")
        process = try stage.start("relay", ["relay", "--listen", "127.0.0.1:0", "--data", data.path, "--json"])
        while let line = await process.nextLine() {
            if let listening = try? JSONDecoder().decode(Listening.self, from: Data(line.utf8)),
                listening.event == "listening"
            {
                guard let address = RelayAddress(listening.address), let pin = RelayPin(listening.pin) else { break }
                self.address = address
                self.pin = pin
                return
            }
        }
        let reason = process.lastComplaint.map { ": \($0)" } ?? ""
        throw Failure(message: "the relay did not start\(reason)")
    }

    /// What the relay holds, as `kith relay audit` prints it.
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

    /// Whether these words are anywhere in the relay's files, as they are.
    func holds(_ words: String) -> Bool {
        guard let files = FileManager.default.enumerator(at: data, includingPropertiesForKeys: nil) else {
            return false
        }
        return files.contains { file in
            guard let url = file as? URL, let content = try? Data(contentsOf: url) else { return false }
            return content.firstRange(of: Data(words.utf8)) != nil
        }
    }

    /// Stops the relay as ctrl-C does.
    func stop() async {
        process.terminate()
        _ = await process.exitCode(within: 5)
    }
}
