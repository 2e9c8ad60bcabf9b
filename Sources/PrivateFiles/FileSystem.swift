#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Differences between file systems: whether a file can have two names (FAT and exFAT have no hard links), and whether it has a
/// mode. Each function returns an error number of the system, or 0.
package enum FileSystem {
    /// Gives a complete file its name, unless a file has that name: then the result is `EEXIST`, and both are as they were.
    package static func name(_ unfinished: String, _ path: String) -> Int32 {
        // Unlike rename, link leaves a file that came in the meantime.
        if link(unfinished, path) == 0 {
            unlink(unfinished)
            return 0
        }
        let error = errno
        return [EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS, EMLINK].contains(error) ? rename(unfinished, claiming: path) : error
    }

    /// The same without hard links: claims the name with an empty file, and replaces that by the complete one. A crash in
    /// between leaves the empty file.
    package static func rename(_ unfinished: String, claiming path: String) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        close(descriptor)
        if systemRename(unfinished, path) == 0 { return 0 }
        let error = errno
        unlink(path)
        return error
    }

    /// Gives a file that this process has just made the mode 0600, whatever the umask, which can also take rights from the
    /// owner. No effect where files have no modes.
    package static func makePrivate(_ descriptor: Int32) -> Int32 {
        fchmod(descriptor, 0o600) == 0 || isRefusalWithoutModes(errno) ? 0 : errno
    }

    /// The same for a file or folder of this user.
    package static func makePrivate(_ path: String, mode: mode_t) -> Int32 {
        guard chmod(path, mode) != 0 else { return 0 }
        let error = errno
        var status = stat()
        // A user may change the mode of an own file, if it has one.
        guard isRefusalWithoutModes(error), stat(path, &status) == 0, status.st_uid == geteuid() else { return error }
        return 0
    }

    private static func isRefusalWithoutModes(_ error: Int32) -> Bool {
        [EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS].contains(error)
    }
}
