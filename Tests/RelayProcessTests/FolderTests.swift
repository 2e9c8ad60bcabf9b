import Foundation
import KithClient
import KithWire
import RelayTestSupport
import Testing

extension RelayProcesses {
    @Suite("The relay's folder")
    struct FolderTests {
        @Test("a second relay on the same folder is refused with a clear message, and the first keeps running")
        func second() async throws {
            let folder = try RelayFolder()
            let relay = try await RelayProcess.start(in: folder)
            let client = try await relay.connect()
            let channel = KnownChannel()
            try await client.open(channel)
            let other = try RelayFolder()
            let status = try await Program.run(
                ["relay", "--listen", "127.0.0.1:0", "--data", folder.data.path, "--json"], output: other.output,
                errors: other.errors)
            #expect(status == .exited(1))
            #expect(other.errorText.contains("\(folder.data.path) is in use by another relay"))
            #expect(try await client.append([1], to: channel) == 1)
            #expect(try await relay.stop() == .exited(0))
            // The lock ended with the process.
            let third = try await RelayProcess.start(in: folder)
            try await third.kill9()
        }

        @Test(
            "a damaged database is named and not changed",
            arguments: [0..<100, 100..<8_192, 8_192..<65_536] as [Range<Int>])
        func damaged(bytes: Range<Int>) async throws {
            let folder = try RelayFolder()
            let channel = KnownChannel()
            var relay = try await RelayProcess.start(in: folder)
            var client = try await relay.connect()
            try await client.open(channel)
            for index in 0..<200 { try await client.append([UInt8](repeating: UInt8(index), count: 400), to: channel) }
            #expect(try await relay.stop() == .exited(0))

            let file = folder.data.appending(path: "relay.sqlite")
            var content = Array(try Data(contentsOf: file))
            // All data may still be in the write-ahead log, which is then damaged instead.
            let log = folder.data.appending(path: "relay.sqlite-wal")
            try #require(((try? Data(contentsOf: log))?.count ?? 0) == 0, "the log was not taken in at the end")
            for index in bytes.clamped(to: content.indices) { content[index] = 0xa5 }
            try Data(content).write(to: file)

            do {
                relay = try await RelayProcess.start(in: folder)
            } catch let ended as Program.Ended {
                #expect(ended.status == .exited(1))
                #expect(ended.errors.contains(file.path), "\(ended)")
                #expect(Array(try Data(contentsOf: file)) == content, "the damaged file was changed")
                return
            }
            // Damage in rows that are not read at the start is found when they are read. Then the result is an error,
            // never other data than was written.
            client = try await relay.connect()
            do {
                try await client.present(channel)
                let entries = try await client.entries(of: channel)
                #expect(entries.map(\.seq) == Array(1...200))
                for entry in entries {
                    #expect(entry.payload.elementsEqual([UInt8](repeating: UInt8(entry.seq - 1), count: 400)))
                }
            } catch RelayConnectionError.refused(let error) {
                #expect(error.code == .unavailable, "\(error)")
            }
            #expect(relay.isAlive)
            try await relay.kill9()
        }
    }
}
