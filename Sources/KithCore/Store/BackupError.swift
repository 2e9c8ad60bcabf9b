import KithSupport

/// The reason why a backup could not be written or read.
public enum BackupError: Error, Hashable, Sendable {
    /// The file can't be written or read. With `EEXIST`, a file is already there and stays as it was.
    case file(PrivateFileError)
    /// The passphrase does not open it, or is empty.
    case wrongPassphrase
    /// There is not enough memory to derive the key from the passphrase, which takes this many bytes.
    case noMemory(bytes: Int)
    /// The file is not a backup.
    case notABackup
    /// A newer Kith wrote it.
    case version(UInt8)
    /// The file was cut off, damaged or altered.
    case damaged
    /// A record is longer than readers accept. Holds the limit, in bytes.
    case tooLong(limit: Int)
}
