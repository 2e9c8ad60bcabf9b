import Foundation
import KithClient
import KithSupport
import KithWire
import TestSupport
import Testing

@Suite struct KnownRelaysTests {
    private func pin(_ byte: UInt8) throws -> RelayPin { try #require(RelayPin([UInt8](repeating: byte, count: 32))) }
    private func address(_ text: String = "relay.example.org:7443") throws -> RelayAddress {
        try #require(RelayAddress(text))
    }

    private func permissions(_ url: URL) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int)
    }

    @Test("a relay is unknown, then known; another key does not replace the known one")
    func remembering() async throws {
        try await withTemporaryFolder { folder in
            let known = KnownRelays(home: KithHome(folder: folder))
            let address = try address()
            #expect(try known.pin(of: address) == nil)
            #expect(try known.remember(pin(1), of: address) == .added)
            #expect(try known.pin(of: address) == pin(1))
            #expect(try known.remember(pin(1), of: address) == .wasKnown)
            #expect(try known.remember(pin(2), of: address) == .isAnother(pin(1)))
            #expect(try known.pin(of: address) == pin(1))
            #expect(try known.pin(of: self.address("relay.example.org:7444")) == nil)
            #expect(try known.forget(address))
            #expect(try known.forget(address) == false)
            #expect(try known.pin(of: address) == nil)
        }
    }

    @Test("the file, and a folder made for it, are accessible to their owner only")
    func permissions() async throws {
        try await withTemporaryFolder { folder in
            let known = KnownRelays(home: KithHome(folder: folder.appendingPathComponent("deeper")))
            _ = try known.remember(pin(1), of: try address())
            #expect(try permissions(known.file.url) == 0o600)
            #expect(try permissions(folder.appendingPathComponent("deeper")) == 0o700)
            let names = try FileManager.default.contentsOfDirectory(
                atPath: folder.appendingPathComponent("deeper").path)
            #expect(Set(names) == ["known_relays", "known_relays.lock"])
        }
    }

    @Test("comments and unknown lines stay unchanged")
    func foreignLines() async throws {
        try await withTemporaryFolder { folder in
            let known = KnownRelays(home: KithHome(folder: folder))
            _ = try known.remember(pin(1), of: try address())
            let first = try String(contentsOf: known.file.url, encoding: .utf8)
            let other = "\(try address()) \(try pin(3)) of tomorrow\n"
            try ("# mine\nsomething\n\(other)" + first).write(
                to: known.file.url, atomically: true, encoding: .utf8)
            #expect(try known.pin(of: address()) == pin(1))
            _ = try known.remember(pin(2), of: try address("[2001:db8::1]:1"))
            #expect(try known.forget(address()))
            let content = try String(contentsOf: known.file.url, encoding: .utf8)
            #expect(content == "# mine\nsomething\n\(other)[2001:db8::1]:1 \(try pin(2))\n")
        }
    }

    @Test("concurrent writers lose nothing, and one key of a relay wins")
    func concurrency() async throws {
        try await withTemporaryFolder { folder in
            let home = KithHome(folder: folder)
            let added = try await withThrowingTaskGroup(of: KnownRelays.Remembered.self) { group in
                for index in 0..<40 {
                    let address = try address("relay\(index % 20).example.org:7443")
                    let pin = try pin(UInt8(index))
                    // One object for each, as in another process.
                    group.addTask { try KnownRelays(home: home).remember(pin, of: address) }
                }
                return try await group.reduce(into: 0) { count, result in if result == .added { count += 1 } }
            }
            #expect(added == 20)
            let lines = try String(contentsOf: home.knownRelays, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 20)
        }
    }

    @Test("a file that can't be read is an error, not an unknown relay")
    func unreadable() async throws {
        try await withTemporaryFolder { folder in
            let known = KnownRelays(home: KithHome(folder: folder))
            try FileManager.default.createDirectory(at: known.file.url, withIntermediateDirectories: true)
            #expect(throws: PrivateFileError.self) { try known.pin(of: address()) }
        }
    }

    @Test("the folder is $KITH_HOME, or $XDG_DATA_HOME/kith, or ~/.local/share/kith")
    func home() {
        #expect(KithHome(environment: ["KITH_HOME": "/k", "XDG_DATA_HOME": "/x", "HOME": "/h"]).folder.path == "/k")
        #expect(KithHome(environment: ["XDG_DATA_HOME": "/x", "HOME": "/h"]).folder.path == "/x/kith")
        #expect(KithHome(environment: ["HOME": "/h", "KITH_HOME": ""]).folder.path == "/h/.local/share/kith")
        #expect(KithHome(environment: ["HOME": "/h", "XDG_DATA_HOME": "x"]).folder.path == "/h/.local/share/kith")
    }

    @Test("a relative $KITH_HOME is relative to the current folder, and not ignored")
    func relativeHome() {
        let here = FileManager.default.currentDirectoryPath
        #expect(KithHome(environment: ["KITH_HOME": "k", "HOME": "/h"]).folder.path == "\(here)/k")
        #expect(KithHome(environment: ["KITH_HOME": "./k/l", "HOME": "/h"]).folder.standardized.path == "\(here)/k/l")
    }
}

@Suite struct RelayAddressTests {
    @Test(
        "addresses are read and written alike",
        arguments: ["relay.example.org:7443", "127.0.0.1:1", "[2001:db8::7]:65535", "[fe80::1%eth0]:7443"])
    func valid(text: String) throws {
        #expect(try #require(RelayAddress(text)).description == text)
    }

    @Test("case makes no difference in a host name")
    func cases() { #expect(RelayAddress("Relay.Example.ORG:7443") == RelayAddress("relay.example.org:7443")) }

    @Test(
        "a text that is no address is refused",
        arguments: [
            "", ":", "relay", "relay:", ":7443", "relay:0", "relay:65536", "relay:-1", "relay:+1", "relay:7443x",
            "2001:db8::7:7443", "[relay]:7443", "[]:7443", "re lay:7443", "relay\n:7443", "rel\u{1B}ay:7443",
            "https://relay:7443", "user@relay:7443",
        ])
    func invalid(text: String) { #expect(RelayAddress(text) == nil) }
}
