#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Operations on files. Some of them also work on file systems without hard links, such as FAT and exFAT, or without file modes.
/// Each function returns the system's error number; 0 if it succeeded.
package enum FileSystem {
    /// Gives a complete file its final name. If another file has that name, the result is `EEXIST`, and both files are unchanged.
    package static func name(_ unfinished: String, _ path: String) -> Int32 {
        // `link` fails if another process has just created the file. `rename` would replace that file.
        if link(unfinished, path) == 0 {
            unlink(unfinished)
            return 0
        }
        let error = errno
        return [EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS, EMLINK].contains(error) ? rename(unfinished, claiming: path) : error
    }

    /// Gives a complete file its final name without hard links. First an empty file claims the name, and then the complete file
    /// replaces the empty one. A crash in between leaves the empty file.
    package static func rename(_ unfinished: String, claiming path: String) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        close(descriptor)
        if systemRename(unfinished, path) == 0 { return 0 }
        let error = errno
        unlink(path)
        return error
    }

    /// Locks an open file or folder against other openers. The lock ends when the descriptor is closed, at the latest with the
    /// process.
    ///
    /// - Parameter operation: the operation for `flock`. With `LOCK_NB`, the result is `EWOULDBLOCK` if another opener has the
    ///   lock.
    package static func lock(_ descriptor: Int32, _ operation: Int32) -> Int32 {
        while flock(descriptor, operation) != 0 {
            guard errno == EINTR else { return errno }
        }
        return 0
    }

    /// Sets the mode of a new file, which this process has created, to 0600. Without this call, the umask could remove rights,
    /// even the owner's. Does nothing on a file system without modes.
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
