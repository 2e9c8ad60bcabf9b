import Foundation
import KithClient
import KithWire
import RelayTestSupport
import Testing

extension RelayProcesses {
    @Suite("What the system gives a relay")
    struct ProcessLimitTests {
        @Test("its memory goes into no core dump, and no other process of its user may read it")
        func memory() async throws {
            let relay = try await RelayProcess.start(in: RelayFolder())
            let limits = try String(contentsOfFile: "/proc/\(relay.process)/limits", encoding: .utf8)
            let cores = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
            #expect(cores?.split(whereSeparator: \.isWhitespace).dropFirst(4).prefix(2).joined(separator: " ") == "0 0")
            // Of a process that may not be dumped, the files belong to root, whose own processes look the same.
            var status = stat()
            #expect(stat("/proc/\(relay.process)/environ", &status) == 0)
            #expect(status.st_uid == 0)
            try await relay.kill9()
        }

        @Test(
            "without descriptors it pauses, says so once, and serves again when there are some", .timeLimit(.minutes(2))
        )
        func descriptors() async throws {
            let folder = try RelayFolder()
            let relay = try await RelayProcess.start(in: folder, filesAtMost: 80)
            let honest = try await relay.connect()
            var wires: [WireClient] = []
            for _ in 0..<120 { wires.append(try await WireClient.connect(to: relay.address, .tcp)) }
            // It has met the limit when it says so.
            while !folder.errorText.contains("cannot accept connections") {
                try await Task.sleep(for: .milliseconds(20))
            }
            _ = try await honest.request(.ping)
            for wire in wires { wire.close() }
            wires = []
            var again: RelayConnection?
            while again == nil {
                again = try? await relay.connect()
                if again == nil { try await Task.sleep(for: .milliseconds(50)) }
            }
            // Each failure took half a second: of a core at full speed there would be thousands.
            let failures = try await relay.metric("accept_failures_total")
            #expect((1...400).contains(failures), "\(failures)")
            #expect(folder.errorText.components(separatedBy: "cannot accept connections").count == 2)
            try await relay.kill9()
        }
    }
}
