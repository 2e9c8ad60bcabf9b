/// Why a private file could not be read or written.
public struct PrivateFileError: Error, Hashable, Sendable {
    /// What was tried.
    public enum Operation: String, Sendable {
        /// Reading the file.
        case read
        /// Writing or locking it, or making its folder.
        case write
    }

    /// What was tried.
    public let operation: Operation
    /// With which file or folder.
    public let path: String
    /// The system's reason.
    public let errno: Int32

    /// An error from its parts.
    package init(_ operation: Operation, path: String, errno: Int32) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }
}
