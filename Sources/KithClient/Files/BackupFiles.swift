import Foundation
import KithCore
import PrivateFiles

/// The files of a profile in a backup.
enum BackupFiles {
    /// Size of a part, in bytes. A part is smaller than the longest record of a backup.
    private static let part: UInt64 = 4 << 20

    /// Writes the files that are on this device.
    ///
    /// - Returns: the number of files that are missing or damaged, and therefore not in the backup.
    /// - Throws: ``KithError/backup(_:)`` or ``KithError/store(_:)``.
    static func write(
        of profile: FileViews, in folder: FilesFolder, to writer: inout BackupWriter
    ) throws(KithError) -> Int {
        var damaged = 0
        for (place, id, size) in try profile.keptFiles() {
            guard let file = try? folder.file(id), file.size == size else {
                damaged += 1
                continue
            }
            var offset: UInt64 = 0
            do {
                while offset < size {
                    let bytes = try file.read(offset..<min(size, offset + part))
                    try append(.part(id, offset: offset, bytes), to: &writer)
                    offset += UInt64(bytes.count)
                }
            } catch let error as KithError {
                throw error
            } catch {
                // The parts of this file that are already in the backup have no end record. A restore does not use such parts.
                damaged += 1
                continue
            }
            try append(.end(id, place), to: &writer)
        }
        return damaged
    }

    private static func append(_ record: BackupFileRecord, to writer: inout BackupWriter) throws(KithError) {
        do throws(BackupError) { try writer.append(record.encoded) } catch { throw .backup(error) }
    }

    /// Writes the files of a backup into the folder of a new profile.
    ///
    /// - Parameter next: returns the next record of the backup; `nil` at the end.
    /// - Throws: ``KithError``. The error is `backup(.damaged)` if a part does not begin where the previous part of the file
    ///   ends.
    static func restore(
        into folder: FilesFolder, _ next: () throws(KithError) -> [UInt8]?
    ) throws(KithError) {
        var current: (id: TransferID, file: LocalFile, size: UInt64)?
        while let bytes = try next() {
            guard let record = try? BackupFileRecord.decode(bytes) else { continue }
            if case .part(let id, let offset, _) = record {
                // The parts of a file come in order, so no other offset can be right.
                guard offset == (current?.id == id ? current?.size ?? 0 : 0) else { throw .backup(.damaged) }
            }
            do throws(PrivateFileError) {
                switch record {
                case .part(let id, let offset, let part):
                    if current?.id != id {
                        current = (id, try folder.makeFile(id), 0)
                        try current?.file.truncate(to: 0)
                    }
                    try current?.file.write(part, at: offset)
                    current?.size += UInt64(part.count)
                case .end(let id, _):
                    if current?.id == id { try current?.file.sync() }
                    current = nil
                }
            } catch { throw .file(error) }
        }
        folder.sync()
    }
}
