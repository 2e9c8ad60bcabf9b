import Foundation

/// The resources that a process has used, from `/proc`.
struct ProcessUsage: Sendable {
    /// User and system time of all threads of the process, in seconds. The resolution is a clock tick (10 ms).
    let cpuSeconds: Double
    /// Resident memory in bytes.
    let residentBytes: Int

    init(of id: pid_t) throws {
        let stat = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
        // The name in parentheses may contain anything, so fields are counted from behind it (proc(5): utime 14, stime 15).
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw ServerFailure("/proc/\(id)/stat does not read as expected")
        }
        cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        // This file is exact, while the counters of /proc/PID/status lag behind by some pages per thread. If the process
        // protects its memory from others, as kith does, only root may read this file.
        let exact = try? String(contentsOfFile: "/proc/\(id)/smaps_rollup", encoding: .utf8)
        let memory = try exact ?? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        guard
            let line = memory.split(separator: "\n").first(where: { $0.hasPrefix("Rss:") || $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { throw ServerFailure("the memory of process \(id) does not read as expected") }
        residentBytes = kilobytes * 1024
    }

    static var own: ProcessUsage {
        get throws { try ProcessUsage(of: getpid()) }
    }
}
