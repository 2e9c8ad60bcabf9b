import Foundation
import KithRelay
import NIOCore
import NIOPosix

/// A folder for the stores of one run, and the thread that they run on.
struct Workshop {
    private let path: String
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(in folder: String) throws {
        path = "\(folder)/.store-benchmark-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func open(_ name: String) throws -> SQLiteStore {
        try SQLiteStore(folder: "\(path)/\(name)", eventLoop: group.next())
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Copies a store that is open, as a crash would leave it. Returns the copy's name.
    func copy(_ name: String, to copy: String) throws -> String {
        try FileManager.default.createDirectory(atPath: file(copy), withIntermediateDirectories: true)
        for (from, to) in zip(databaseFiles(name), databaseFiles(copy)) {
            try FileManager.default.copyItem(atPath: from, toPath: to)
        }
        return copy
    }

    /// Makes the system read a store's files into its cache.
    func readThrough(_ name: String) throws {
        for file in databaseFiles(name) { _ = try Data(contentsOf: URL(filePath: file)) }
    }

    private func databaseFiles(_ name: String) -> [String] {
        ["", "-wal"].map { file("\(name)/relay.sqlite\($0)") }
    }
}
