import Foundation
import RelayTestSupport
import TestSupport
import Testing

@testable import kith

/// A person who uses the program from a shell: a folder of their own, and one process at a time.
struct CommandPerson {
    let folder: URL

    init(_ name: String, in parent: URL) async throws {
        folder = parent.appendingPathComponent("home of \(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let made = try await run("init", "--yes", "--no-passphrase", "--name", name)
        try #require(made.code == 0, "\(made.complaints)")
    }

    /// The output and exit code of a command.
    struct Outcome {
        let lines: [String]
        let complaints: [String]
        let code: Int32

        /// The lines that are JSON objects.
        var objects: [[String: Any]] {
            lines.compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        }
    }

    /// Runs a command to its end.
    func run(_ arguments: String..., input: String? = nil, environment: [String: String] = [:]) async throws -> Outcome
    {
        try await run(arguments, input: input, environment: environment)
    }

    func run(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) async throws -> Outcome {
        let process = try start(arguments, environment: environment)
        if let input { try process.write(input) }
        try process.endInput()
        async let lines = process.rest()
        async let complaints = process.complaintsLeft()
        return await Outcome(lines: lines, complaints: complaints, code: process.exitCode())
    }

    /// Runs a shell command, in which `kith` is the program under test.
    func shell(_ line: String, environment: [String: String] = [:]) async throws -> Outcome {
        let process = try KithProcess(
            ["-c", "kith() { '\(BuiltProgram.kith.path)' \"$@\"; }; \(line)"], folder: folder,
            environment: ["NO_COLOR": "1"].merging(environment) { $1 }, program: URL(fileURLWithPath: "/bin/sh"))
        try process.endInput()
        async let lines = process.rest()
        async let complaints = process.complaintsLeft()
        return await Outcome(lines: lines, complaints: complaints, code: process.exitCode())
    }

    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> KithProcess {
        try KithProcess(arguments, folder: folder, environment: ["NO_COLOR": "1"].merging(environment) { $1 })
    }

    /// Receives for a second again and again, until a condition is true between two times. A busy machine needs more of them.
    func listen(_ options: String..., until isTrue: () async throws -> Bool) async throws {
        try await eventually {
            _ = try await run(["listen", "--timeout", "1s"] + options)
            return try await isTrue()
        }
    }

    /// Whether nothing waits to be sent.
    func hasSentAll() async throws -> Bool {
        try await run("status").lines.contains { $0.hasPrefix("to be sent") && $0.hasSuffix("nothing") }
    }

    /// Receives until a text has arrived a number of times.
    func hear(_ text: String, times: Int = 1) async throws {
        var missing = times
        let process = try start(["listen", "--json", "--timeout", "600s"])
        defer { process.signal(SIGTERM) }
        while let line = await process.line() {
            if line.contains("\"event\":\"message\""), line.contains("\"text\":\"\(text)\"") {
                missing -= 1
                if missing > 0 { continue }
                process.signal(SIGTERM)
                _ = await process.rest()
                #expect(await process.exitCode() == 0)
                return
            }
        }
        Issue.record("\(text) did not come")
    }
}

/// Runs `body` with two people who have met by an invite at a real relay.
///
/// - Parameter storesFiles: whether the relay stores files.
func withAnnAndBob(
    storesFiles: Bool = false,
    _ body: (_ ann: CommandPerson, _ bob: CommandPerson, _ relay: String) async throws -> Void
) async throws {
    func run(_ relay: TestRelay) async throws {
        let ann = try await CommandPerson("Ann", in: relay.folder)
        let bob = try await CommandPerson("Bob", in: relay.folder)
        let address = relay.address.description
        let invite = try await ann.run("invite", "--relay", address, "--pin", relay.pin.description)
        let line = try #require(invite.lines.first, "\(invite.complaints)")
        let joined = try await bob.run("join", line)
        #expect(joined.lines == ["Ann"], "\(joined.complaints)")
        try await body(ann, bob, address)
    }
    if storesFiles { try await withBlobRelay { try await run($0) } } else { try await withRelay { try await run($0) } }
}
