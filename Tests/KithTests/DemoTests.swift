import Foundation
import Testing

@testable import kith

@Suite(.timeLimit(.minutes(5))) struct DemoTests {
    @Test("the demo runs to its end, shows the tampering caught, and leaves nothing behind")
    func demo() async throws {
        try await withTemporaryFolder { folder in
            let demo = try KithProcess(["demo"], folder: folder, environment: ["TMPDIR": folder.path])
            let output = await demo.rest().joined(separator: "\n")
            #expect(await demo.exitCode() == 0)
            #expect(await demo.complaintsLeft() == [])
            #expect(output.contains("bob's screen │ alice : Hi Bob! Can the relay read this? (verified)"))
            #expect(output.contains("was altered on the way; dropped"))
            #expect(output.contains("[alice said goodbye]"))
            #expect(!output.contains("\u{1B}"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
    }

    @Test("ctrl-C cleans up")
    func interrupted() async throws {
        try await withTemporaryFolder { folder in
            let demo = try KithProcess(["demo"], folder: folder, environment: ["TMPDIR": folder.path])
            while let line = await demo.line(), !line.hasPrefix("2.") {}
            demo.signal(SIGINT)
            _ = await demo.rest()
            #expect([0, 130].contains(await demo.exitCode()))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
    }
}
