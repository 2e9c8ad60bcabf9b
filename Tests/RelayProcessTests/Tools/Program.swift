import Foundation
import TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The `kith` program that was built together with these tests.
enum Program {
    /// The end of a process.
    enum Status: Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// An error about a process that ended unexpectedly, or did not end.
    struct Ended: Error, CustomStringConvertible {
        let status: Status?
        let errors: String
        var description: String { "\(status.map { "\($0)" } ?? "still running"): \(errors)" }
    }

    /// Starts the program with its output in files, which are emptied first.
    ///
    /// - Parameter filesAtMost: number of files that it may have open; `nil` for the limit of this process.
    static func start(
        _ arguments: [String], output: URL, errors: URL, filesAtMost: Int? = nil
    ) throws -> pid_t {
        raiseFileLimit()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // Other tests in this process wait for the ends of their pipes, which this program must not hold open.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for file in files.compactMap({ Int32($0) }) where file > 2 { posix_spawn_file_actions_addclose(&actions, file) }
        // Output of an earlier process must not be taken for this one's.
        unlink(output.path)
        var process = pid_t()
        let shell = ["/bin/sh", "-c", "ulimit -n \(filesAtMost ?? 0); exec \"$0\" \"$@\""]
        let path = BuiltProgram.kith.path
        let program = filesAtMost == nil ? path : "/bin/sh"
        let words = ((filesAtMost == nil ? [] : shell) + [path] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        let code = posix_spawn(&process, program, &actions, nil, words + [nil], environ)
        guard code == 0 else { throw Ended(status: nil, errors: "\(path): \(String(cString: strerror(code)))") }
        return process
    }

    /// Runs the program to its end.
    static func run(_ arguments: [String], output: URL, errors: URL) async throws -> Status {
        try await waitForEnd(of: start(arguments, output: output, errors: errors))
    }

    /// The end of a process, if it has ended. Returns it once: then the process is reaped.
    static func endOf(_ process: pid_t) -> Status? {
        var status: Int32 = 0
        guard waitpid(process, &status, WNOHANG) == process else { return nil }
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }

    static func waitForEnd(of process: pid_t, for limit: Duration = .seconds(180)) async throws -> Status {
        var status: Status?
        do {
            try await eventually("the process has ended", within: limit) {
                status = endOf(process)
                return status != nil
            }
        } catch is NeverHappened {
            kill(process, SIGKILL)
            _ = endOf(process)
        }
        guard let status else { throw Ended(status: nil, errors: "it did not end within \(limit)") }
        return status
    }

    /// Raises the limit of open files: thousands of connections need as many files, here and in the relay.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
