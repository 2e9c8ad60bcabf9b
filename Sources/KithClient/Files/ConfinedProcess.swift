import CLinux
import KithCore
import PrivateFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

#if os(Linux)
    /// A program that gets bytes, and answers with a few. It has no shell, no files of this process, and an environment of its
    /// own. Its CPU time, memory and output are limited, and it is killed when its time is over. Input and output are files in
    /// memory, so nothing of them reaches a disk.
    struct ConfinedProcess: ~Copyable {
        private let process: pid_t
        private let output: Int32

        /// The pause between two looks whether the program has ended, in microseconds.
        private static let pollUs: UInt32 = 2_000

        /// Runs a program to its end.
        ///
        /// - Parameters:
        ///   - path: the program's absolute path.
        ///   - arguments: the arguments behind the program's name.
        ///   - environment: the whole environment.
        ///   - deadline: the time at which the program is killed.
        ///   - input: the whole input.
        /// - Returns: the output; `nil` if the program cannot be started, takes too long, or writes too much.
        static func output(
            of path: String, _ arguments: [String], environment: [String], until deadline: ContinuousClock.Instant,
            input: [UInt8]
        ) -> [UInt8]? {
            ConfinedProcess(path, arguments, environment, input: input)?.result(until: deadline)
        }

        private init?(_ path: String, _ arguments: [String], _ environment: [String], input: [UInt8]) {
            let streams = [Self.memoryFile(), Self.memoryFile(), Self.aboveStandard(open("/dev/null", O_WRONLY))]
            let words = ([path] + arguments).map { strdup($0) }
            let variables = environment.map { strdup($0) }
            defer { for text in words + variables { free(text) } }
            var limits = kith_limits(
                cpu_seconds: ClientLimits.previewCPUSeconds, memory: ClientLimits.previewMemory,
                open_files: ClientLimits.previewOpenFiles, file_length: UInt64(ClientLimits.previewOutput))
            var process: pid_t = -1
            // The program reads from the file's position, which stays at the beginning.
            if streams.allSatisfy({ $0 > 2 }),
                input.withUnsafeBytes({ FileSystem.write($0, to: streams[0], at: 0) }) == 0
            {
                process = kith_start_confined(path, words + [nil], variables + [nil], streams, &limits)
            }
            for stream in [streams[0], streams[2]] where stream >= 0 { close(stream) }
            guard process > 0 else {
                if streams[1] >= 0 { close(streams[1]) }
                return nil
            }
            (self.process, output) = (process, streams[1])
        }

        deinit {
            // The program is the leader of its process group. Its children are killed too.
            kill(-process, SIGKILL)
            kill(process, SIGKILL)
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            close(output)
        }

        private static func memoryFile() -> Int32 { aboveStandard(kith_memory_file()) }

        /// Moves a descriptor above those of the standard streams, which may be closed in this process.
        private static func aboveStandard(_ descriptor: Int32) -> Int32 {
            guard descriptor >= 0 else { return -1 }
            defer { close(descriptor) }
            return fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        }

        /// Waits for the program's end, and returns its output.
        private consuming func result(until deadline: ContinuousClock.Instant) -> [UInt8]? {
            while !hasEnded() {
                guard .now < deadline else { return nil }
                usleep(Self.pollUs)
            }
            var buffer = [UInt8](repeating: 0, count: ClientLimits.previewOutput)
            let count = pread(output, &buffer, buffer.count, 0)
            guard count > 0, count < ClientLimits.previewOutput else { return nil }
            return Array(buffer[..<count])
        }

        /// Whether the program has ended. It stays a zombie, so that no other process gets its number.
        private borrowing func hasEnded() -> Bool {
            var information = siginfo_t()
            while true {
                let result = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
                if result != 0, errno == EINTR { continue }
                // After an error, the program was waited for elsewhere.
                return result != 0 || information.si_signo != 0
            }
        }
    }
#endif
