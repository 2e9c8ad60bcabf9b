import Foundation
import ImageMetadata
import KithCore
import KithSupport
import MLS
import PrivateFiles

/// The bytes of a file that is uploaded.
struct UploadSource: Sendable {
    private enum Bytes: Sendable {
        case whole(LocalFile)
        /// A picture without its metadata: parts of the file, and bytes in between, each with its place in the result.
        case clean(LocalFile, [(start: UInt64, piece: CleanPicture.Piece)])
        case spool(LocalFile, FileCipher)
    }

    /// The description of the source, with the file's present stamp.
    let source: FileSource
    /// The number of bytes to send.
    let size: UInt64
    private let bytes: Bytes

    /// The picture has changed, and its metadata can't be removed any more.
    struct NotCleaned: Error {}

    /// Opens a file of the user. The source names the file itself, even if `path` leads through symbolic links.
    ///
    /// - Parameter cleans: whether the metadata of a picture is left out.
    /// - Throws: ``PrivateFileError``.
    init(path: String, cleans: Bool) throws(PrivateFileError) {
        let path = try Self.resolved(path)
        let file = try LocalFile(reading: path)
        let stamp = try file.stamp()
        // A picture that breaks its format is sent as it is. `isCleaned` is then `false`, so the caller can tell the user.
        if cleans, let picture = try? CleanPicture(removingMetadataFrom: file) {
            var start: UInt64 = 0
            var pieces: [(UInt64, CleanPicture.Piece)] = []
            for piece in picture.pieces {
                pieces.append((start, piece))
                start += piece.size
            }
            bytes = .clean(file, pieces)
            size = start
            source = .path(path, stamp, isCleaned: true)
        } else {
            bytes = .whole(file)
            size = stamp.size
            source = .path(path, stamp, isCleaned: false)
        }
    }

    /// Opens the source of an upload again.
    ///
    /// - Parameter size: the number of bytes to send.
    /// - Throws: ``PrivateFileError``, also if the path now leads through a symbolic link; ``NotCleaned``.
    init(_ source: FileSource, size: UInt64, in folder: FilesFolder) throws {
        switch source {
        case .path(let path, _, let isCleaned):
            // A person who can put a link into the path must not be able to choose another file.
            guard try Self.resolved(path) == path else {
                throw PrivateFileError(.read, URL(fileURLWithPath: path), errno: ELOOP)
            }
            try self.init(path: path, cleans: isCleaned)
            if isCleaned, case .path(_, _, isCleaned: false) = self.source { throw NotCleaned() }
        case .spool(let id, let key):
            self.init(source, size: size, .spool(try folder.file(id), FileCipher(spool: key)))
        }
    }

    /// Returns the path without symbolic links.
    private static func resolved(_ path: String) throws(PrivateFileError) -> String {
        guard let found = realpath(path, nil) else { throw PrivateFileError(.read, URL(fileURLWithPath: path)) }
        defer { free(found) }
        return String(cString: found)
    }

    private init(_ source: FileSource, size: UInt64, _ bytes: Bytes) {
        self.source = source
        self.size = size
        self.bytes = bytes
    }

    /// Whether the file has changed since it was opened.
    var hasChanged: Bool {
        guard case .path(_, let stamp, _) = source else { return false }
        switch bytes {
        case .whole(let file), .clean(let file, _): return (try? file.stamp()) != stamp
        case .spool: return false
        }
    }

    /// Reads the bytes of a range. The range must lie within ``size``.
    ///
    /// - Throws: ``PrivateFileError``, or ``FileCipher/NotGenuine`` if a file in the profile's folder is damaged.
    func read(_ range: Range<UInt64>) throws -> [UInt8] {
        guard !range.isEmpty else { return [] }
        switch bytes {
        case .whole(let file): return try file.read(range)
        case .clean(let file, let pieces): return try read(range, of: pieces, file)
        case .spool(let file, let cipher): return try readSpool(range, file, cipher)
        }
    }

    private func read(
        _ range: Range<UInt64>, of pieces: [(start: UInt64, piece: CleanPicture.Piece)], _ file: LocalFile
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for (start, piece) in pieces where start < range.upperBound && start + piece.size > range.lowerBound {
            let part = max(range.lowerBound, start) - start..<min(range.upperBound, start + piece.size) - start
            switch piece {
            case .source(let whole):
                bytes += try file.read(whole.lowerBound + part.lowerBound..<whole.lowerBound + part.upperBound)
            case .bytes(let whole): bytes += whole[Int(part.lowerBound)..<Int(part.upperBound)]
            }
        }
        return bytes
    }

    private func readSpool(_ range: Range<UInt64>, _ file: LocalFile, _ cipher: FileCipher) throws -> [UInt8] {
        let last = Spool.lastChunk(of: size)
        var bytes: [UInt8] = []
        for number in range.lowerBound / FileLayout.chunk...(range.upperBound - 1) / FileLayout.chunk {
            let start = number * FileLayout.chunk
            let sealedStart = number * FileLayout.sealedChunk
            let length = min(FileLayout.chunk, size - start)
            let sealed = try file.read(sealedStart..<sealedStart + length + FileLayout.tag)
            let plain = try cipher.open(sealed[...], number: number, isLast: number == last)
            guard UInt64(plain.count) == length else { throw FileCipher.NotGenuine() }
            let part = max(range.lowerBound, start) - start..<min(range.upperBound, start + length) - start
            bytes += plain[Int(part.lowerBound)..<Int(part.upperBound)]
        }
        return bytes
    }
}

extension UploadSource: ByteSource {
    func bytes(in range: Range<UInt64>) throws -> [UInt8] { try read(range) }
}

extension CleanPicture.Piece {
    /// The number of bytes.
    fileprivate var size: UInt64 {
        switch self {
        case .source(let range): range.upperBound - range.lowerBound
        case .bytes(let bytes): UInt64(bytes.count)
        }
    }
}

/// A file in the profile's folder for bytes whose number is not known in advance, for example bytes from a pipe. The file is
/// encrypted with a separate key.
struct Spool: ~Copyable {
    let id: TransferID
    let key: SecretBytes
    private let folder: FilesFolder
    /// The open file. The lock on the file lasts until a value in the vault refers to the file.
    let file: LocalFile
    private let cipher: FileCipher
    private var pending: [UInt8] = []
    private var number: UInt64 = 0
    private(set) var size: UInt64 = 0

    /// Begins a file.
    ///
    /// - Throws: ``PrivateFileError``.
    init(in folder: FilesFolder) throws(PrivateFileError) {
        id = .random(from: .system)
        key = RandomSource.system.secret(32)
        self.folder = folder
        cipher = FileCipher(spool: key)
        file = try folder.makeFile(id)
        _ = file.lock()
    }

    static func lastChunk(of size: UInt64) -> UInt64 { size == 0 ? 0 : (size - 1) / FileLayout.chunk }

    /// Adds bytes.
    mutating func append(_ bytes: some Collection<UInt8>) throws {
        pending.append(contentsOf: bytes)
        size += UInt64(bytes.count)
        var start = 0
        // The last chunk may be full, so a full chunk is written only when more bytes follow.
        while pending.count - start > FileLayout.chunk {
            try write(pending[start..<start + Int(FileLayout.chunk)], isLast: false)
            start += Int(FileLayout.chunk)
        }
        pending.removeFirst(start)
    }

    /// Writes the last bytes. When this returns, the file is on the disk.
    mutating func finish() throws {
        try write(pending[...], isLast: true)
        pending = []
        try file.sync()
        folder.sync()
    }

    /// Removes the file.
    func discard() { folder.remove(id) }

    private mutating func write(_ chunk: ArraySlice<UInt8>, isLast: Bool) throws {
        var sealed: [UInt8] = []
        try cipher.seal(chunk, number: number, isLast: isLast, into: &sealed)
        try file.write(sealed, at: number * FileLayout.sealedChunk)
        number += 1
    }
}
