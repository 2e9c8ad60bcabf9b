import Foundation
import KithSupport
import PrivateFiles
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// Failures of private files.
@Suite struct PrivateFileTests {
    private func failure(_ body: () throws -> Void) -> PrivateFileError? {
        do {
            try body()
            return nil
        } catch { return error as? PrivateFileError }
    }

    @Test("a folder in place of the file is an error when it is read, and when its lock is taken")
    func folderInstead() async throws {
        try await withTemporaryFolder { folder in
            let file = PrivateFile(folder.appendingPathComponent("file"))
            for path in [file.url.path, file.url.path + ".lock"] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            let unreadable = failure { _ = try file.read(limit: 10) }
            #expect(unreadable == PrivateFileError(.read, file.url, errno: EISDIR))
            var ran = false
            let unlocked = failure { try file.locked { ran = true } }
            #expect(unlocked == PrivateFileError(.write, file.url, errno: EISDIR))
            #expect(!ran)
        }
    }

    @Test("a file in place of a folder is an error with its path, at any depth")
    func fileInstead() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let blocking = folder.appendingPathComponent("blocking")
            try Data().write(to: blocking)
            for wanted in [blocking, blocking.appendingPathComponent("deeper")] {
                let error = failure { try PrivateFile.makeFolder(wanted) }
                #expect(error == PrivateFileError(.write, wanted, errno: ENOTDIR))
            }
            #expect(try Data(contentsOf: blocking).isEmpty)
        }
    }

    @Test("a folder's path that leads up from nowhere is an error")
    func upFromNowhere() async throws {
        try await withTemporaryFolder { folder in
            let nowhere = URL(fileURLWithPath: folder.path + "/missing/..")
            let error = failure { try PrivateFile.makeFolder(nowhere) }
            #expect(error?.errno == ENOENT)
        }
    }

    @Test("the mode is written as for chmod, and unknown for a missing file")
    func modes() async throws {
        try await withTemporaryFolder { folder in
            let file = PrivateFile(folder.appendingPathComponent("file"))
            #expect(file.modeText == "unknown" && !file.isOpenToOthers)
            try file.write([1])
            #expect(file.modeText == "0600")
            #expect(try !file.closeToOthers())
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.url.path)
            #expect(file.modeText == "0644" && file.isOpenToOthers)
            #expect(try file.closeToOthers())
            #expect(file.modeText == "0600")
        }
    }

    #if os(Linux)
        @Test("another user's file with rights for others is an error; a file with a fixed mode is not")
        func othersFile() throws {
            // A file of the kernel, which is root's, and has a fixed mode.
            let file = PrivateFile(URL(fileURLWithPath: "/proc/sys/kernel/ostype"))
            #expect(file.isOpenToOthers)
            if geteuid() == 0 {
                #expect(try !file.closeToOthers())
            } else {
                #expect(throws: PrivateFileError(.write, file.url, errno: EPERM)) { try file.closeToOthers() }
            }
        }
    #endif
}
