import Foundation

/// A real terminal for a test: a tmux server of its own, with one window in which a command runs.
package final class Tmux: Sendable {
    private let socket = "kith-test-\(UUID().uuidString)"
    private let hidesNumbers: Bool

    /// The path of tmux; `nil` on a machine without it.
    package static let program: URL? = ["/usr/bin/tmux", "/usr/local/bin/tmux", "/opt/homebrew/bin/tmux"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }.map { URL(fileURLWithPath: $0) }

    /// A condition for tests that need a terminal. It prints a line if there is none.
    package static var isThere: Bool {
        if program == nil {
            print("tmux is missing, so the tests in a real terminal are skipped (apt-get install tmux)")
        }
        return program != nil
    }

    package struct Failed: Error {
        package let arguments: [String]
        package let screen: String
    }

    /// The size of a window.
    package struct Size: Sendable {
        package let columns: Int
        package let rows: Int

        package init(columns: Int = 80, rows: Int = 24) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// Runs `body` with a terminal.
    ///
    /// - Parameter hidesNumbers: whether ``screen()`` leaves out the numbers and times of messages, which a test can't know.
    package static func run(
        _ command: [String], environment: [String: String] = [:], size: Size = Size(), hidesNumbers: Bool = false,
        _ body: (Tmux) async throws -> Void
    ) async throws {
        let terminal = try await Tmux(command, environment: environment, size: size, hidesNumbers: hidesNumbers)
        do {
            try await body(terminal)
            await terminal.close()
        } catch {
            await terminal.close()
            throw error
        }
    }

    /// Opens a window of this size and runs a command in it. When the command has ended, the window stays, with `ended` and the
    /// exit status in its last line.
    private init(
        _ command: [String], environment: [String: String], size: Size, hidesNumbers: Bool
    ) async throws {
        self.hidesNumbers = hidesNumbers
        let quoted = command.map { "'\($0)'" }.joined(separator: " ")
        let variables = environment.map { "\($0)='\($1)'" }.joined(separator: " ")
        try await run(
            "-f", "/dev/null", "-u", "new-session", "-d", "-s", "test", "-x", "\(size.columns)", "-y", "\(size.rows)",
            "env LC_ALL=C.UTF-8 \(variables) \(quoted); echo ended $?; exec cat")
    }

    @discardableResult
    private func run(_ arguments: String...) async throws -> String {
        guard let program = Self.program else { throw Failed(arguments: arguments, screen: "no tmux") }
        // A file instead of a pipe: any process that holds the other end of a pipe can keep its reader waiting.
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("\(socket)-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        let child = try Spawning.alone { try spawn(program.path, ["-L", socket] + arguments, output: output) }
        guard let status = await Self.status(of: child), status == 0 else {
            throw Failed(arguments: arguments, screen: "tmux failed, or did not end")
        }
        return (try? String(contentsOf: output, encoding: .utf8)) ?? ""
    }

    /// The exit status of a child; `nil` if it was killed.
    private static func status(of child: pid_t) async -> Int32? {
        var status: Int32 = 0
        var result: pid_t = 0
        do {
            try await eventually("tmux has ended") {
                result = waitpid(child, &status, WNOHANG)
                return result != 0 && !(result < 0 && errno == EINTR)
            }
        } catch {
            kill(child, SIGKILL)
            waitpid(child, &status, 0)
            return nil
        }
        return result == child ? status : nil
    }

    /// Starts a program. `Process` can't be used: it waits for every grandchild, and tmux leaves its server running.
    private func spawn(_ path: String, _ arguments: [String], output: URL) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        let words: [String] = [path] + arguments
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let settings = ["LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", "TERM=xterm"]
        var variables: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) } + [nil]
        defer { for text in argv + variables { free(text) } }
        // This process blocks most signals and has other tests' pipes open. tmux must inherit neither the blocked signals nor
        // the pipes.
        let open =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }) ?? []
        // This includes descriptors that may be opened meanwhile. Closing a closed descriptor is harmless.
        for descriptor in 3...(open.max() ?? 3) + 200 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var child: pid_t = 0
        guard posix_spawn(&child, path, &actions, &attributes, &argv, &variables) == 0 else {
            throw Failed(arguments: arguments, screen: "not started")
        }
        return child
    }

    /// The lines of the window, without empty lines at its end.
    package func screen() async throws -> [String] {
        var lines = try await run("capture-pane", "-p", "-t", "test").components(separatedBy: "\n")
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard hidesNumbers else { return lines }
        return lines.map { line in
            let rest = line.drop { $0.isNumber }
            guard rest.count < line.count, rest.hasPrefix("  ") else { return line }
            let text = rest.dropFirst(2)
            // The time of a message follows its number.
            let clock = Array(text.prefix(7))
            let hasTime = clock.count == 7 && clock[2] == ":" && clock[5] == " " && clock[0].isNumber
            return String(hasTime ? text.dropFirst(7) : text)
        }
    }

    /// The cursor's column, counted from the left.
    package func cursorColumn() async throws -> Int? {
        Int(
            try await run("display-message", "-p", "-t", "test", "#{cursor_x}").trimmingCharacters(
                in: .whitespacesAndNewlines))
    }

    /// Returns the window's lines once they meet a condition. Waits for a long time, since machines may be slow.
    @discardableResult
    package func wait(_ wanted: ([String]) -> Bool) async throws -> [String] {
        var lines: [String] = []
        do {
            try await eventually("the screen is right") {
                lines = try await screen()
                return wanted(lines)
            }
        } catch is NeverHappened {
            throw Failed(arguments: ["wait"], screen: lines.joined(separator: "\n"))
        }
        return lines
    }

    /// Waits for a line that contains these words.
    @discardableResult
    package func wait(for words: String) async throws -> [String] {
        try await wait { $0.contains { $0.contains(words) } }
    }

    /// Waits for the last line to be this one.
    @discardableResult
    package func wait(lastLine: String) async throws -> [String] { try await wait { $0.last == lastLine } }

    package func type(_ text: String) async throws { try await run("send-keys", "-t", "test", "-l", "--", text) }
    package func press(_ keys: String...) async throws {
        for key in keys { try await run("send-keys", "-t", "test", key) }
    }
    package func resize(columns: Int, rows: Int = 24) async throws {
        try await run("resize-window", "-t", "test", "-x", "\(columns)", "-y", "\(rows)")
    }

    /// Pastes text as a terminal with bracketed paste does.
    package func paste(_ text: String) async throws {
        try await run("set-buffer", "--", text)
        try await run("paste-buffer", "-p", "-r", "-t", "test")
    }

    /// Sends the bytes of a file as typed keys. The bytes need not be text.
    package func typeBytes(of file: URL) async throws {
        try await run("load-buffer", file.path)
        try await run("paste-buffer", "-r", "-t", "test")
    }

    /// Ends the terminal and its program.
    package func close() async { _ = try? await run("kill-server") }
}
