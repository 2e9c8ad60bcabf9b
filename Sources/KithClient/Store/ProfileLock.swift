import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Says that this process has a profile. Given up when it is released, and by the system when the process dies.
///
/// A lock on an open file (`flock`), not the file's existence: whatever ends the process ends the lock with it. The file
/// stays, because removing it would let two processes lock two files of the same name.
package final class ProfileLock: Sendable {
    /// A lock of nothing, for stores that no other process can reach.
    package static let none = ProfileLock(descriptor: -1)

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        guard descriptor >= 0 else { return }
        // Whoever is refused next should not be told this process's number.
        ftruncate(descriptor, 0)
        close(descriptor)
    }

    /// Takes the lock of a profile's folder, at once or not at all. Makes the folder if it is not there.
    ///
    /// - Throws: ``KithError/inUse(pid:)`` if it is taken, by this process or another; ``KithError/file(_:)``.
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

    /// Locks the file and writes this process's number into it.
    private static func lock(_ descriptor: Int32, _ folder: ProfileFolder) -> PrivateFileError? {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EINTR else { return PrivateFileError(.write, folder.lock) }
        }
        fchmod(descriptor, 0o600)
        // The number is only told to people: a full disk is no reason to refuse.
        let number = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        _ = number.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        return nil
    }

    /// The process that has the lock, if it has said so already and is still there.
    private static func holder(of folder: ProfileFolder) -> Int32? {
        let content = try? PrivateFile(folder.lock).read(limit: ClientLimits.lockFile)
        let text = String(decoding: content ?? [], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let pid = Int32(text), pid > 0, kill(pid, 0) == 0 || errno == EPERM else { return nil }
        return pid
    }
}
