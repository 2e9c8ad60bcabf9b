#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Operations on files. Naming a file needs no hard links: FAT and exFAT, for example, have none. Setting a mode does nothing on
/// a file system without modes. Each function returns the system's error number; 0 for success.
package enum FileSystem {
    /// Gives a complete file its final name. If the final name belongs to an existing file, changes no file and returns `EEXIST`.
    package static func name(_ unfinished: String, _ path: String) -> Int32 {
        // `link` fails if another process has just created the file. `rename` would replace that file.
        if link(unfinished, path) == 0 {
            unlink(unfinished)
            return 0
        }
        let error = errno
        return [EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS, EMLINK].contains(error) ? rename(unfinished, claiming: path) : error
    }

    /// Gives a complete file its final name without a hard link. First creates an empty file with the final name, and then
    /// replaces the empty file by the complete file. A crash between the two steps leaves the empty file.
    package static func rename(_ unfinished: String, claiming path: String) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        close(descriptor)
        if systemRename(unfinished, path) == 0 { return 0 }
        let error = errno
        unlink(path)
        return error
    }

    /// Locks an open file or folder with `flock`. The lock ends when the descriptor is closed. The end of the process closes
    /// every descriptor.
    ///
    /// - Parameter operation: the operation for `flock`. With `LOCK_NB`, the function returns `EWOULDBLOCK` if the file is
    ///   already locked.
    package static func lock(_ descriptor: Int32, _ operation: Int32) -> Int32 {
        while flock(descriptor, operation) != 0 {
            guard errno == EINTR else { return errno }
        }
        return 0
    }

    /// Writes all bytes to an open file at a place. The file's own position stays as it is.
    package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: UInt64) -> Int32 {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(written))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count < 0 ? errno : ENOSPC }
            written += count
        }
        return 0
    }

    /// Sets the mode of a file to 0600. This process must have created the file. The call restores rights that the umask has
    /// removed, even rights of the owner. Does nothing on a file system without modes.
    package static func makePrivate(_ descriptor: Int32) -> Int32 {
        fchmod(descriptor, 0o600) == 0 || isRefusalWithoutModes(errno) ? 0 : errno
    }

    /// Sets the mode of a file or folder that belongs to this user. Does nothing on a file system without modes.
    package static func makePrivate(_ path: String, mode: mode_t) -> Int32 {
        guard chmod(path, mode) != 0 else { return 0 }
        let error = errno
        var status = stat()
        // A user may always change the mode of a file that the user owns, so a refusal means that the file system has no modes.
        guard isRefusalWithoutModes(error), stat(path, &status) == 0, status.st_uid == geteuid() else { return error }
        return 0
    }

    private static func isRefusalWithoutModes(_ error: Int32) -> Bool {
        [EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS].contains(error)
    }
}
