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

/// The lock of a profile for this process. Released with the last reference, and by the system when the process dies.
///
/// The lock is on an open file (`flock`), so it ends with the process. The existence of the file means nothing: it stays,
/// because after removing it, two processes could lock two files of the same name.
package final class ProfileLock: Sendable {
    /// A lock without a file, for stores that no other process can reach.
    package static let none = ProfileLock(descriptor: -1)

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        guard descriptor >= 0 else { return }
        // A process that is refused later must not be told this process's number.
        ftruncate(descriptor, 0)
        close(descriptor)
    }

    /// Takes the lock of a profile's folder without waiting. Makes the folder if it does not exist.
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
        // The number is only information: a full disk must not prevent the lock.
        let text = Array(Holder.this.text.utf8)
        ftruncate(descriptor, 0)
        _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        return nil
    }

    /// Whether a process has the lock of a profile's folder. Writes nothing, so it works on a read-only file system too.
    ///
    /// - Returns: its process id, or 0 if it is not known; `nil` if no process has it.
    /// - Throws: ``KithError/file(_:)``.
    package static func holder(in folder: URL) throws(KithError) -> Int32? {
        let folder = ProfileFolder(folder)
        let descriptor = open(folder.lock.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .file(PrivateFileError(.read, folder.lock))
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_SH | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return holder(of: folder) ?? 0
            default: throw .file(PrivateFileError(.read, folder.lock))
            }
        }
        return nil
    }

    /// The process that has the lock, if it has written its number and the number means the same process here.
    private static func holder(of folder: ProfileFolder) -> Int32? {
        let content = try? PrivateFile(folder.lock).read(limit: ClientLimits.lockFile)
        guard let holder = Holder(String(decoding: content ?? [], as: UTF8.self)), holder.place == Holder.this.place,
            kill(holder.pid, 0) == 0 || errno == EPERM
        else { return nil }
        return holder.pid
    }

    /// A process and the place where its number is valid: each container, and each machine that shares a disk, numbers its own
    /// processes.
    private struct Holder {
        let pid: Int32
        let place: String

        /// `PID PLACE`, on one line.
        var text: String { "\(pid) \(place)\n" }

        init?(_ text: String) {
            let parts = text.split(whereSeparator: \.isWhitespace)
            guard parts.count == 2, let pid = Int32(parts[0]), pid > 0 else { return nil }
            self.pid = pid
            place = String(parts[1])
        }

        private init() {
            pid = getpid()
            // The namespaces' numbers are valid for one boot of one machine.
            let boot =
                (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))
                ?? ProcessInfo.processInfo.hostName
            let space = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
            place = (boot + space).filter { !$0.isWhitespace }
        }

        static let this = Holder()
    }
}
