import Foundation
import KithSupport
import PrivateFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// This process's lock on a profile. The lock ends when its last reference is released, or when the process ends.
///
/// The lock belongs to an open file (`flock`), so the system releases the lock when the process ends. The existence of the lock
/// file does not mean that the profile is locked. The lock file is never removed, so two processes never lock two files with the
/// same name.
package final class ProfileLock: Sendable {
    /// A lock without a file, for a store that no other process can use.
    package static let none = ProfileLock(descriptor: -1)

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        guard descriptor >= 0 else { return }
        // The file is emptied first, so that another process that tries to lock it later does not read this process's id.
        ftruncate(descriptor, 0)
        close(descriptor)
    }

    /// Locks a profile's folder without waiting. If the folder does not exist, creates the folder.
    ///
    /// - Throws: ``KithError/inUse(pid:)`` if the folder is already locked by any process, including this one, or
    ///   ``KithError/file(_:)``.
    package static func acquire(in folder: URL) throws(KithError) -> ProfileLock {
        let folder = ProfileFolder(folder)
        do throws(PrivateFileError) {
            try folder.make()
            let descriptor = open(folder.lock.path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw PrivateFileError(.write, folder.lock) }
            if let refusal = lock(descriptor, folder) {
                close(descriptor)
                throw refusal
            }
            return ProfileLock(descriptor: descriptor)
        } catch {
            guard error.errno == EWOULDBLOCK else { throw .file(error) }
            throw .inUse(pid: holder(of: folder))
        }
    }

    /// Locks the file and writes this process's id into it.
    private static func lock(_ descriptor: Int32, _ folder: ProfileFolder) -> PrivateFileError? {
        let error = FileSystem.lock(descriptor, LOCK_EX | LOCK_NB)
        guard error == 0 else { return PrivateFileError(.write, folder.lock, errno: error) }
        fchmod(descriptor, 0o600)
        // The id is only information, so a full disk does not prevent the lock.
        let text = Array(Holder.this.text.utf8)
        ftruncate(descriptor, 0)
        _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        return nil
    }

    /// Returns the id of the process that has locked a profile's folder. Writes nothing, so this also works on a read-only file
    /// system.
    ///
    /// - Returns: the process id, or 0 if the id is not known; `nil` if no process has locked the folder.
    /// - Throws: ``KithError/file(_:)``.
    package static func holder(in folder: URL) throws(KithError) -> Int32? {
        let folder = ProfileFolder(folder)
        let descriptor = open(folder.lock.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .file(PrivateFileError(.read, folder.lock))
        }
        defer { close(descriptor) }
        switch FileSystem.lock(descriptor, LOCK_SH | LOCK_NB) {
        case 0: return nil
        case EWOULDBLOCK: return holder(of: folder) ?? 0
        case let error: throw .file(PrivateFileError(.read, folder.lock, errno: error))
        }
    }

    /// The id of the process with the lock; `nil` if the file names no running process of this machine or container.
    private static func holder(of folder: ProfileFolder) -> Int32? {
        let content = try? PrivateFile(folder.lock).read(limit: ClientLimits.lockFile)
        guard let holder = Holder(String(decoding: content ?? [], as: UTF8.self)), holder.place == Holder.this.place,
            kill(holder.pid, 0) == 0 || errno == EPERM
        else { return nil }
        return holder.pid
    }

    /// A process id, and the place where the id is valid. Each container numbers its own processes. Each machine that shares the
    /// disk numbers its own processes.
    private struct Holder {
        let pid: Int32
        let place: String

        /// `PID PLACE`, in one line.
        var text: String { "\(pid) \(place)\n" }

        init?(_ text: String) {
            let parts = text.split(whereSeparator: \.isWhitespace)
            guard parts.count == 2, let pid = Int32(parts[0]), pid > 0 else { return nil }
            self.pid = pid
            place = String(parts[1])
        }

        private init() {
            pid = getpid()
            // The numbers of namespaces are valid for one boot of one machine, so the place includes both.
            let boot =
                (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))
                ?? ProcessInfo.processInfo.hostName
            let space = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
            place = (boot + space).filter { !$0.isWhitespace }
        }

        static let this = Holder()
    }
}
