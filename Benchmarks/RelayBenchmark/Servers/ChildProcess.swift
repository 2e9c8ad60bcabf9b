import Foundation
import Synchronization

/// A process that ends with this one, however this one ends.
final class ChildProcess: Sendable {
    /// All running children.
    static let running = Mutex<Set<pid_t>>([])

    let id: pid_t
    private let output: Int32
    private let guardian: Guardian
    private let hasEnded = Mutex(false)

    /// Starts a program. Its standard output can be read with ``readLine(within:)``.
    init(_ path: String, _ arguments: [String]) throws {
        let ends = try pipe()
        defer { close(ends.writing) }
        do {
            id = try spawn(path, arguments, output: ends.writing)
            output = ends.reading
            guardian = try Guardian(#"kill -9 "$0" 2> /dev/null"#, "\(id)")
            let id = self.id
            Self.running.withLock { _ = $0.insert(id) }
        } catch {
            close(ends.reading)
            throw error
        }
    }

    /// Starts a program on one processor. If the machine does not have this processor, or the system has no `taskset`, the
    /// program may run on any processor.
    convenience init(pinned path: String, _ arguments: [String], to processor: Int) throws {
        guard let taskset = Tool.find("taskset"), ProcessInfo.processInfo.activeProcessorCount > processor else {
            try self.init(path, arguments)
            return
        }
        try self.init(taskset, ["-c", "\(processor)", path] + arguments)
    }

    deinit {
        kill()
        close(output)
    }

    /// Returns the next line of the process's standard output.
    func readLine(within seconds: Double) throws -> String {
        let deadline = Date(timeIntervalSinceNow: seconds)
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, Int32(max(0, deadline.timeIntervalSinceNow) * 1000)) == 1 else {
                throw ServerFailure("no answer within \(seconds) s")
            }
            var byte: UInt8 = 0
            guard read(output, &byte, 1) == 1 else { throw ServerFailure("it ended instead of starting") }
            line.append(byte)
        }
        return String(decoding: line.dropLast(), as: UTF8.self)
    }

    /// Kills the process, which has no chance to finish its work, and waits until it is gone.
    func kill() {
        hasEnded.withLock { hasEnded in
            guard !hasEnded else { return }
            hasEnded = true
            // The guardian is dismissed first. If it ran longer than the process, it could kill another process with the same
            // number.
            guardian.dismiss()
            Foundation.kill(id, SIGKILL)
            waitpid(id, nil, 0)
            Self.running.withLock { _ = $0.remove(id) }
        }
    }

    var usage: ProcessUsage {
        get throws { try ProcessUsage(of: id) }
    }
}

/// A shell that runs one command when this process has ended. The shell waits for the end of a pipe that only this process
/// holds open, so ctrl-C, a crash and `kill -9` have the same effect.
final class Guardian: Sendable {
    private let id: pid_t
    private let leash: Int32

    init(_ command: String, _ argument: String) throws {
        let ends = try pipe()
        defer { close(ends.reading) }
        leash = ends.writing
        id = try spawn(
            "/bin/sh", ["-c", "trap '' INT HUP TERM; read -r line; " + command, argument], input: ends.reading)
    }

    /// Ends the guardian without running its command.
    func dismiss() {
        Foundation.kill(id, SIGKILL)
        waitpid(id, nil, 0)
        close(leash)
    }
}

struct ServerFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A pipe that no other child inherits.
private func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard Foundation.pipe(&ends) == 0 else { throw ServerFailure("no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
}

/// Starts a program with the given standard input and output. Without a descriptor, the program gets `/dev/null`. Standard
/// error is discarded.
private func spawn(_ path: String, _ arguments: [String], input: Int32? = nil, output: Int32? = nil) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, descriptor) in [(STDIN_FILENO, input), (STDOUT_FILENO, output), (STDERR_FILENO, nil)] {
        if let descriptor {
            posix_spawn_file_actions_adddup2(&actions, descriptor, number)
        } else {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
    }
    var words = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var id: pid_t = 0
    let status = posix_spawn(&id, path, &actions, nil, &words, environ)
    guard status == 0 else { throw ServerFailure("\(path): \(String(cString: strerror(status)))") }
    return id
}
