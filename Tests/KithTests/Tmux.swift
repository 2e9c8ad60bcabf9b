import Foundation
import Testing

/// A real terminal for a test: a tmux server of its own, with one window in which a command runs.
final class Tmux: Sendable {
    private let socket = "kith-test-\(UUID().uuidString)"

    /// Where tmux is, or `nil` on a machine without it.
    static let program: URL? = ["/usr/bin/tmux", "/usr/local/bin/tmux", "/opt/homebrew/bin/tmux"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }.map { URL(fileURLWithPath: $0) }

    /// For tests that need a terminal: says so when there is none.
    static var isThere: Bool {
        if program == nil { print("tmux is missing, so the tests in a real terminal are skipped (apt-get install tmux)") }
        return program != nil
    }

    struct Failed: Error {
        let arguments: [String]
        let screen: String
    }

    /// Opens a window of this size and runs a command in it; the window stays when the command has ended, with `ended N`
    /// in its last line.
    init(_ command: [String], environment: [String: String] = [:], columns: Int = 80, rows: Int = 24) async throws {
        let quoted = command.map { "'\($0)'" }.joined(separator: " ")
        let variables = environment.map { "\($0)='\($1)'" }.joined(separator: " ")
        _ = try await run(
            "-f", "/dev/null", "-u", "new-session", "-d", "-s", "test", "-x", "\(columns)", "-y", "\(rows)",
            "env LC_ALL=C.UTF-8 \(variables) \(quoted); echo ended $?; exec cat")
    }

    @discardableResult
    private func run(_ arguments: String...) async throws -> String {
        guard let program = Self.program else { throw Failed(arguments: arguments, screen: "no tmux") }
        let process = Process()
        process.executableURL = program
        process.arguments = ["-L", socket] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(arguments: arguments, screen: "") }
        return String(decoding: data, as: UTF8.self)
    }

    /// What the window shows, without empty lines at its end.
    func screen() async throws -> [String] {
        var lines = try await run("capture-pane", "-p", "-t", "test").components(separatedBy: "\n")
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// Where the cursor is, in columns from the left.
    func cursorColumn() async throws -> Int? {
        Int(try await run("display-message", "-p", "-t", "test", "#{cursor_x}").trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Returns what the window shows once that is as wanted. How long it takes makes no difference, within reason.
    @discardableResult
    func wait(_ wanted: ([String]) -> Bool) async throws -> [String] {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let lines = try await screen()
            if wanted(lines) { return lines }
            guard ContinuousClock.now < end else {
                throw Failed(arguments: ["wait"], screen: lines.joined(separator: "\n"))
            }
            try await Task.sleep(for: .milliseconds(30))
        }
    }

    /// Waits for a line that has these words in it.
    @discardableResult
    func wait(for words: String) async throws -> [String] {
        try await wait { $0.contains { $0.contains(words) } }
    }

    /// Waits for the last line to be this one.
    @discardableResult
    func wait(lastLine: String) async throws -> [String] { try await wait { $0.last == lastLine } }

    func type(_ text: String) async throws { try await run("send-keys", "-t", "test", "-l", "--", text) }
    func press(_ keys: String...) async throws { for key in keys { try await run("send-keys", "-t", "test", key) } }
    func resize(columns: Int, rows: Int = 24) async throws {
        try await run("resize-window", "-t", "test", "-x", "\(columns)", "-y", "\(rows)")
    }

    /// Pastes as a terminal does that was asked for bracketed paste.
    func paste(_ text: String) async throws {
        try await run("set-buffer", "--", text)
        try await run("paste-buffer", "-p", "-r", "-t", "test")
    }

    func close() async { _ = try? await run("kill-server") }
}
