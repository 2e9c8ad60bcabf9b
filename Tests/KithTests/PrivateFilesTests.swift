import Foundation
import RelayTestSupport
import TestSupport
import Testing

@testable import kith

/// Only the user can access the program's files, whatever the shell's umask is.
@Suite(.timeLimit(.minutes(5))) struct PrivateFilesTests {
    @Test(
        "keys, vault and backup have mode 0600 in folders of mode 0700, whatever the umask", arguments: ["000", "277"])
    func umask(mask: String) async throws {
        try await withTemporaryFolder { parent in
            let home = parent.appendingPathComponent("one/two")
            let passphrase = parent.appendingPathComponent("passphrase")
            try Data("a passphrase for the backup".utf8).write(to: passphrase)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passphrase.path)
            func run(_ arguments: String...) async throws -> Int32 {
                try await Self.run(
                    ["umask \(mask); exec \"$@\"", "sh", BuiltProgram.kith.path] + arguments, home: home)
            }
            #expect(try await run("init", "--yes", "--no-passphrase", "--name", "Ann") == 0)
            let backup = home.appendingPathComponent("kith.backup").path
            #expect(try await run("export", backup, "--passphrase-file", passphrase.path) == 0)
            let key = home.appendingPathComponent("keys/of/ann.pem").path
            // Nothing listens at the address. The key is made before the connection.
            #expect(
                try await run("classic", "--relay", "127.0.0.1:1", "--id", "a", "--peer", "b", "--key", key) == 1)
            try await withRelay { relay in
                let invited = try await run("invite", "--relay", relay.address.description)
                #expect(invited == 0)
            }

            var kept: [String: Int] = [:]
            let enumerator = FileManager.default.enumerator(at: home, includingPropertiesForKeys: nil)
            for case let url as URL in try #require(enumerator) {
                let mode = try Self.mode(url)
                let isFolder = try url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true
                #expect(mode == (isFolder ? 0o700 : 0o600), "\(url.lastPathComponent)")
                kept[url.lastPathComponent] = mode
            }
            for name in [
                "vault.db", "vault.key", "profile.lock", "kith.backup", "ann.pem", "of", "keys", "known_relays",
                "known_relays.lock",
            ] {
                #expect(kept[name] != nil, "\(name)")
            }
            let folders = try [home, home.deletingLastPathComponent()].map(Self.mode)
            #expect(folders == [0o700, 0o700])
        }
    }

    @Test("a list of known relays that others could change is closed and reported")
    func knownRelays() async throws {
        try await withTemporaryFolder { home in
            let file = home.appendingPathComponent("known_relays")
            try Data("# mine\n".utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: file.path)
            let profile = try KithProcess(
                ["classic", "--relay", "127.0.0.1:1", "--id", "a", "--peer", "b"], folder: home)
            try await profile.complaint(with: "was open to others on this machine; it is private now]")
            #expect(await profile.exitCode() == 1)
            #expect(try Self.mode(file) == 0o600)
        }
    }

    private static func mode(_ url: URL) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
    }

    private static func run(_ script: [String], home: URL) async throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c"] + script
        process.environment = ProcessInfo.processInfo.environment.merging(["KITH_HOME": home.path]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try Spawning.alone { try process.run() }
        try await eventually("the shell has ended") { !process.isRunning }
        return process.terminationStatus
    }
}
