import Foundation
import KithSupport
import KithWire
import PrivateFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files of a ``FileBlobStore``: `blobs.sqlite`, and `blobs/AA/ID` for each blob. Only the owner of the files can read them.
struct BlobFolder: Sendable {
    let path: String

    /// Maximum number of attempts to create a file. An attempt has to be repeated only if the deletion of another blob removes
    /// the file's folder at that moment.
    private static let creationAttempts = 16

    var table: String { path + "/blobs.sqlite" }
    var files: String { path + "/blobs" }

    func folder(of id: BlobID) -> String { files + "/" + Hex.encode(id.bytes.prefix(1)) }

    func file(of id: BlobID) -> String { folder(of: id) + "/" + Hex.encode(id.bytes) }

    /// Creates each folder that is missing. If the file of the table is missing, creates an empty file.
    func create() throws(StoreOpenError) {
        try StoreFolder.makeFolder(files)
        try StoreFolder.makeFile(table)
    }

    /// Opens a blob's file for writing, and cuts the file to its first `stored` bytes. If `stored` is 0, creates a missing file.
    func openForWriting(_ id: BlobID, stored: UInt64) throws(StoreFailure) -> Int32 {
        let folder = folder(of: id)
        let file = stored == 0 ? try create(id, in: folder) : open(file(of: id), O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw errno == ENOENT ? .damaged("the file of a blob is missing") : .last }
        do throws(StoreFailure) {
            if stored == 0 {
                let error = FileSystem.makePrivate(file)
                guard error == 0 else { throw StoreFailure(errno: error) }
                // A killed process may have created the folders without making them durable.
                for folder in [folder, files, path] { try Self.syncFolder(folder) }
            }
            guard Self.size(of: file) ?? 0 >= stored else { throw .damaged("the file of a blob is too short") }
            guard ftruncate(file, off_t(stored)) == 0 else { throw .last }
            return file
        } catch {
            close(file)
            throw error
        }
    }

    /// Opens a blob's file for writing. Creates a missing file, and also a folder that was deleted while the relay was running.
    ///
    /// - Returns: the file's descriptor, or a negative number and an error in `errno`.
    private func create(_ id: BlobID, in folder: String) throws(StoreFailure) -> Int32 {
        var file: Int32 = -1
        // The deletion of another blob may remove the empty folder at any moment.
        for _ in 0..<Self.creationAttempts where file < 0 {
            do throws(PrivateFileError) { try PrivateFile.makeFolder(URL(filePath: folder)) } catch {
                throw StoreFailure(errno: error.errno)
            }
            file = open(self.file(of: id), O_RDWR | O_CLOEXEC | O_CREAT, 0o600)
            guard file < 0, errno == ENOENT else { break }
        }
        return file
    }

    /// Opens the file of a complete blob for reading.
    func openForReading(_ id: BlobID, size: UInt64) throws(StoreFailure) -> Int32 {
        let file = open(file(of: id), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw errno == ENOENT ? .damaged("the file of a blob is missing") : .last }
        guard Self.size(of: file) == size else {
            close(file)
            throw .damaged("the file of a blob has another size")
        }
        return file
    }

    /// Removes a blob's file, and its folder if the folder is empty now.
    func remove(_ id: BlobID) throws(StoreFailure) {
        guard unlink(file(of: id)) == 0 || errno == ENOENT else { throw .last }
        rmdir(folder(of: id))
    }

    /// The free space on the disk, in bytes; 0 if the system does not report the free space.
    var freeBytes: UInt64 { (try? StoreFolder.freeDiskBytes(at: path)) ?? 0 }

    private static func size(of file: Int32) -> UInt64? {
        var status = stat()
        return fstat(file, &status) == 0 ? UInt64(status.st_size) : nil
    }

    /// Makes the list of files in a folder durable. Ignores the error of a file system that cannot sync folders.
    private static func syncFolder(_ path: String) throws(StoreFailure) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .last }
        defer { close(folder) }
        guard fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP else { throw .last }
    }
}
