import Foundation
import KithCore
import KithSupport
import PrivateFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes a received file into a folder of the user.
enum SavedFile {
    /// The highest number that is added to a name if the folder already has files with that name. If a folder has even more
    /// files with one name, somebody has made a mistake.
    private static let highestNumber = 10_000

    /// Decrypts a file into a folder. The file appears under its name when it is complete. The file has the mode 0600, so it
    /// can't be executed.
    ///
    /// - Returns: the new file; `nil` if the file's bytes are not on this device.
    /// - Throws: ``PrivateFileError``, or ``FileCipher/NotGenuine``.
    static func save(_ content: FileContent, from folder: FilesFolder, to target: URL) throws -> URL? {
        if case .atRelay = content.bytes { return nil }
        let name = try checked(content.name, in: target)
        let (file, unfinished) = try makeUnfinished(content, in: target)
        var isNamed = false
        // The lock on the file ends only after this, so the removed file is not one that another process has begun.
        defer {
            if !isNamed { unlink(unfinished.path) }
            withExtendedLifetime(file) {}
        }
        var size: UInt64 = 0
        try write(content, from: folder) { bytes throws(PrivateFileError) in
            try file.write(bytes, at: size)
            size += UInt64(bytes.count)
        }
        try file.sync()
        for number in 1...highestNumber {
            let url = target.appendingPathComponent(FileName.numbered(name, number))
            switch FileSystem.name(unfinished.path, url.path) {
            case 0:
                isNamed = true
                return url
            case EEXIST: continue
            case let error: throw PrivateFileError(.write, url, errno: error)
            }
        }
        throw PrivateFileError(.write, target.appendingPathComponent(name), errno: EEXIST)
    }

    /// Returns the name if it names a file in the folder itself. All names are clean already; this is a second line of defense,
    /// because the name comes from another person.
    ///
    /// - Throws: ``PrivateFileError`` with the number `EINVAL` for any other name.
    static func checked(_ name: String, in folder: URL) throws(PrivateFileError) -> String {
        guard FileName.isOneComponent(name) else { throw PrivateFileError(.write, folder, errno: EINVAL) }
        return name
    }

    /// Creates the file that gets its name when it is complete. Each attempt to save the same file uses the same name, so an
    /// attempt replaces the incomplete file of an interrupted attempt.
    private static func makeUnfinished(
        _ content: FileContent, in target: URL
    ) throws(PrivateFileError) -> (LocalFile, URL) {
        let url = target.appendingPathComponent(".kith-\(mark(of: content)).part")
        while true {
            let file = try LocalFile(writing: url.path)
            guard file.lock() else { break }
            // The process that had the lock may have given the file its final name.
            guard file.isAt(url.path) else { continue }
            // A crash may have come after the file got its final name, and before this name was removed.
            guard file.hasOneName else {
                unlink(url.path)
                continue
            }
            try file.truncate(to: 0)
            return (file, url)
        }
        // Another process is saving the same file, or the file system has no locks.
        let other = target.appendingPathComponent(".kith-\(TransferID.random(from: .system).fileName).part")
        return (try LocalFile(writing: other.path), other)
    }

    /// Returns a short text that identifies a file's content.
    private static func mark(of content: FileContent) -> String {
        switch content.bytes {
        case .inMessage(let bytes): Hex.encode(FileCipher.digest(ofPiece: bytes).prefix(8))
        case .kept(let id, _): id.fileName
        case .atRelay: "none"
        }
    }

    private static func write(
        _ content: FileContent, from folder: FilesFolder, _ take: ([UInt8]) throws(PrivateFileError) -> Void
    ) throws {
        switch content.bytes {
        case .atRelay: return
        case .inMessage(let bytes): try take(bytes)
        case .kept(let id, let reference):
            let layout = reference.layout
            let cipher = reference.cipher
            guard let file = try? folder.file(id), file.size == layout.sealedSize else { throw FileCipher.NotGenuine() }
            let length = FileLayout.sealedChunk
            for number in 0..<layout.chunkCount {
                let sealed = try file.read(number * length..<min(layout.sealedSize, (number + 1) * length))
                try take(try cipher.open(chunk: number, sealed[...], of: layout))
            }
        }
    }
}
