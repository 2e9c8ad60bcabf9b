import Foundation
import KithClient
import KithWire
import RelayTestSupport
import TestSupport
import Testing

extension RelayProcesses {
    @Suite("Limits of the process")
    struct ProcessLimitTests {
        @Test("a relay's memory is in no core dump, and other processes of its user can't read it")
        func memory() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let limits = try String(contentsOfFile: "/proc/\(relay.process)/limits", encoding: .utf8)
            let cores = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
            #expect(cores?.split(whereSeparator: \.isWhitespace).dropFirst(4).prefix(2).joined(separator: " ") == "0 0")
            // The files in /proc of a process without dumps belong to root, so this check tells nothing if root runs
            // it.
            var status = stat()
            #expect(stat("/proc/\(relay.process)/environ", &status) == 0)
            #expect(status.st_uid == 0)
            try await relay.kill9()
        }
    }
}
