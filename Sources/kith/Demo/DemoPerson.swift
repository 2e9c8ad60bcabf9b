import Foundation
import Synchronization

/// A person in the demo, with a profile in a separate folder. At most one `kith` process at a time has the profile open.
final class DemoPerson: Sendable {
    let name: String
    private let colour: Colour
    private let stage: DemoStage
    private let printer: DemoPrinter
    private let chat = Mutex<DemoProcess?>(nil)

    init(_ name: String, _ colour: Colour, on stage: DemoStage, printer: DemoPrinter) {
        self.name = name
        self.colour = colour
        self.stage = stage
        self.printer = printer
    }

    /// The person's `KITH_HOME`.
    var home: URL { stage.folder.appendingPathComponent("\(name).home") }

    // MARK: Commands

    /// Starts a command and prints it.
    ///
    /// - Parameter shown: the command as a person would type it; `nil` to print nothing.
    func start(_ arguments: [String], shown: String?) throws -> DemoProcess {
        if let shown { show("$", "kith \(shown)") }
        return try stage.start(name, arguments, mergesErrors: true)
    }

    /// Runs a command until it ends, and returns its output.
    @discardableResult
    func run(_ arguments: [String], shown: String?) async throws -> [String] {
        let process = try start(arguments, shown: shown)
        process.endInput()
        var lines: [String] = []
        while let line = await process.nextLine() { lines.append(line) }
        guard await process.exitCode(within: 10) == 0 else {
            throw Failure(message: "kith \(arguments[0]) of \(name) failed: \(lines.last ?? "no reason given")")
        }
        return lines
    }

    /// Prints a line of this person.
    func show(_ sign: String, _ text: String) { printer.person(name, sign, text, colour) }

    // MARK: Talking

    /// Opens a conversation with `kith chat`. Returns when `kith chat` is connected to the relay.
    func open(_ conversation: String, isShown: Bool = true) async throws {
        let process = try start(
            ["chat", conversation],
            shown: isShown ? "chat \(conversation.contains(" ") ? "\"\(conversation)\"" : conversation)" : nil)
        chat.withLock { $0 = process }
        try await lines(until: { $0.hasPrefix("[connected to the relay") })
    }

    /// Ends the input of the open conversation, and waits until the conversation's process has ended. The effect is that of
    /// ctrl-D.
    func close() async throws {
        guard let process = chat.withLock({ $0 }) else { return }
        process.endInput()
        while await process.nextLine() != nil {}
        guard await process.exitCode(within: 10) == 0 else {
            throw Failure(message: "the program of \(name) failed at its end")
        }
        chat.withLock { $0 = nil }
    }

    /// Types a message and presses Enter.
    func say(_ text: String) throws {
        show("»", text)
        guard let process = chat.withLock({ $0 }) else { throw Failure(message: "\(name) is away") }
        try process.write(text)
    }

    /// Waits for exactly this line on the screen, and prints it.
    func see(_ line: String) async throws {
        try await lines(until: { $0 == line })
        show("│", line)
    }

    /// Waits for a line with this beginning, and prints it.
    func see(beginning start: String) async throws {
        guard let line = try await lines(until: { $0.hasPrefix(start) }).last else { return }
        show("│", line)
    }

    /// Waits for these messages in this order, without other messages between them, and prints them.
    func see(inOrder messages: [String]) async throws {
        for message in messages {
            guard let line = try await lines(until: { !$0.hasPrefix("[") }).last, line == message else {
                throw Failure(message: "\(name) did not get “\(message)” next")
            }
            show("│", line)
        }
    }

    /// Returns the next lines of the screen, up to and including the first line for which `isWanted` returns `true`.
    @discardableResult
    private func lines(until isWanted: (String) -> Bool) async throws -> [String] {
        guard let process = chat.withLock({ $0 }) else { throw Failure(message: "\(name) is away") }
        var lines: [String] = []
        while let line = await process.nextLine() {
            lines.append(line)
            if isWanted(line) { return lines }
            guard !line.contains("WARNING"), !line.contains("could not be read") else {
                throw Failure(message: "the program of \(name) says: \(line)")
            }
        }
        throw Failure(message: "the program of \(name) ended too early: \(lines.last ?? "no reason given")")
    }
}
