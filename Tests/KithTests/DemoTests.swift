import Foundation
import TestSupport
import Testing

@testable import kith

@Suite(.serialized, .timeLimit(.minutes(5))) struct DemoTests {
    @Test("the demo finishes, finds no text in the relay's files, and cleans up")
    func group() async throws {
        try await withTemporaryFolder { folder in
            let demo = try KithProcess(["demo"], folder: folder, environment: ["TMPDIR": folder.path])
            let lines = await demo.rest()
            #expect(await demo.exitCode() == 0)
            #expect(await demo.complaintsLeft() == [])
            #expect(lines.contains("  bob    │ alice (verified) : Hi Bob! Can the relay read this?"))
            #expect(lines.contains("  bob    │ carol (unverified) : Hello you two!"))
            #expect(lines.contains("  bob    │ alice (verified) : Is the relay still there?"))
            #expect(lines.contains { $0.contains("0 found") })
            #expect(!lines.contains { $0.contains("\u{1B}") })
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
    }

    @Test("the classic demo finishes, shows the tampering, and cleans up")
    func classic() async throws {
        try await withTemporaryFolder { folder in
            let demo = try KithProcess(["demo", "--classic"], folder: folder, environment: ["TMPDIR": folder.path])
            let output = await demo.rest().joined(separator: "\n")
            #expect(await demo.exitCode() == 0)
            #expect(await demo.complaintsLeft() == [])
            #expect(output.contains("bob's screen │ alice (verified) : Hi Bob! Can the relay read this?"))
            #expect(output.contains("was altered on the way; dropped"))
            #expect(output.contains("[alice said goodbye]"))
            #expect(!output.contains("\u{1B}"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
    }

    @Test("the folder is gone after clean-up, even if two threads remove it while a third one creates files")
    func removal() async throws {
        let stage = try DemoStage()
        let files = FileManager.default
        for number in 0..<500 { try Data([1]).write(to: stage.folder.appendingPathComponent("key \(number)")) }
        let writer = Task.detached {
            var number = 0
            while !Task.isCancelled {
                try? Data([1]).write(to: stage.folder.appendingPathComponent("late \(number)"))
                number += 1
            }
        }
        try await eventually("files are being created") {
            files.fileExists(atPath: stage.folder.appendingPathComponent("late 10").path)
        }
        let threads = (0..<2).map { _ in Task.detached { stage.tearDown()?.message } }
        for thread in threads { #expect(await thread.value == nil) }
        writer.cancel()
        await writer.value
        let beside = try files.contentsOfDirectory(atPath: stage.folder.deletingLastPathComponent().path)
        #expect(!beside.contains { $0.hasPrefix(stage.folder.lastPathComponent) })
    }

    @Test("ctrl-C cleans up", arguments: [["demo"], ["demo", "--classic"]])
    func interrupted(command: [String]) async throws {
        try await withTemporaryFolder { folder in
            let demo = try KithProcess(command, folder: folder, environment: ["TMPDIR": folder.path])
            while let line = await demo.line(), !line.hasPrefix("2.") {}
            demo.signal(SIGINT)
            _ = await demo.rest()
            #expect([0, 130].contains(await demo.exitCode()))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
    }
}
