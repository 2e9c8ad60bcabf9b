import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An error number of the operating system (`errno`), with an explanation for the user. This file contains all of Kith's own
/// texts for system errors.
package struct SystemError: Hashable, Sendable {
    /// The number.
    package let code: Int32

    /// Creates an error from its number.
    package init(_ code: Int32) { self.code = code }

    /// The error in a few words, without a full stop.
    package var sentence: String { Self.files[code] ?? Self.network[code] ?? Self.system(code) }

    private static let files: [Int32: String] = [
        ENOENT: "there is no such file or folder",
        EACCES: "this user has no permission for it",
        EPERM: "the system does not permit it",
        EEXIST: "there is one already",
        ENOSPC: "there is no room on the disk",
        EDQUOT: "this user's share of the disk is used up",
        EROFS: "the file system is read-only",
        EIO: "the disk or terminal reports a failure",
        EFBIG: "it is too large",
        EBADMSG: "it is damaged",
        EBADF: "it is closed",
        EISDIR: "it is a folder",
        ENOTDIR: "a part of the path is no folder",
        ENAMETOOLONG: "its name is too long",
        ELOOP: "it is a symbolic link, or there are too many of them",
        EMFILE: "this program has too many files open",
        ENFILE: "the system has too many files open",
        ENOMEM: "there is not enough memory",
    ]

    private static let network: [Int32: String] = [
        ENETUNREACH: "this machine is offline, or has no way to that network",
        ENETDOWN: "this machine's network is down",
        EHOSTUNREACH: "there is no way to that host",
        EHOSTDOWN: "that host is down",
        ECONNREFUSED: "nothing listens there",
        ECONNRESET: "the other side cut the connection",
        ECONNABORTED: "the connection was cut",
        EPIPE: "the other side has closed the connection",
        ETIMEDOUT: "no answer in time",
        EADDRINUSE: "another program listens there already",
        EADDRNOTAVAIL: "this machine does not have that address",
        EAFNOSUPPORT: "this machine has no addresses of that kind",
    ]

    /// Returns the C library's text, for rare errors. Kith sets no locale, so the text is English.
    private static func system(_ code: Int32) -> String {
        let words = String(cString: strerror(code))
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}
