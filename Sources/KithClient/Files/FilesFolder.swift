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

/// The folder with a profile's files: those that were received, and those that wait to be sent. All files are encrypted, and the
/// keys of the files are in the vault. The folder has the mode 0700, and each file 0600.
struct FilesFolder: Sendable {
    private let url: URL

    init(ofProfile folder: URL) { url = folder.appendingPathComponent("files", isDirectory: true) }

    /// Creates the folder if it does not exist.
    ///
    /// - Throws: ``PrivateFileError``.
    func make() throws(PrivateFileError) {
        try PrivateFile.makeFolder(url)
        let error = FileSystem.makePrivate(url.path, mode: 0o700)
        guard error == 0 else { throw PrivateFileError(.write, url, errno: error) }
    }

    /// Opens an existing file for reading.
    func file(_ id: TransferID) throws(PrivateFileError) -> LocalFile { try LocalFile(reading: path(of: id)) }

    /// Opens a file for writing. If necessary, creates the file and the folder.
    func makeFile(_ id: TransferID) throws(PrivateFileError) -> LocalFile {
        try make()
        return try LocalFile(writing: path(of: id))
    }

    /// The size of a file, in bytes; 0 if it does not exist.
    func size(of id: TransferID) -> UInt64 {
        var status = stat()
        return lstat(path(of: id), &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// Removes a file, if it exists.
    func remove(_ id: TransferID) { unlink(path(of: id)) }

    /// Makes the names of new files durable. Ignores errors, because some file systems cannot do this.
    func sync() { ProfileFolder(url).sync() }

    /// Removes files that a crash has left behind: the files to which no value in the vault refers.
    ///
    /// Locked files are not removed. A process that writes a new file locks the file until a value in the vault refers to the
    /// file.
    ///
    /// - Parameter known: returns the files to which the vault refers at present.
    func removeUnknown(_ known: () throws -> Set<TransferID>) rethrows {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        let ids = names.compactMap(TransferID.init(fileName:))
        guard !ids.isEmpty else { return }
        let atFirst = try known()
        let locked = ids.filter { !atFirst.contains($0) }.compactMap { id -> (TransferID, LocalFile)? in
            guard let file = try? file(id), file.lock() else { return nil }
            return (id, file)
        }
        guard !locked.isEmpty else { return }
        let now = try known()
        for (id, _) in locked where !now.contains(id) { remove(id) }
    }

    private func path(of id: TransferID) -> String { url.appendingPathComponent(id.fileName).path }
}
