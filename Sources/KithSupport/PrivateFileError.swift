/// A failure to read or write a private file.
public struct PrivateFileError: Error, Hashable, Sendable {
    /// The failed action.
    public enum Operation: String, Sendable {
        /// Reading the file.
        case read
        /// Writing the file, locking the file, or creating the folder.
        case write
    }

    /// The failed action.
    public let operation: Operation
    /// The path of the file or folder.
    public let path: String
    /// The system's error number, which gives the reason.
    public let errno: Int32

    /// Creates an error from its parts.
    package init(_ operation: Operation, path: String, errno: Int32) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }
}
