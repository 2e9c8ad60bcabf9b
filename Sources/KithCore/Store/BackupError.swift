import KithSupport

/// The reason why a backup could not be written or read.
public enum BackupError: Error, Hashable, Sendable {
    /// The file cannot be written or read. If the error is `EEXIST`, a file already exists in this place, and was not changed.
    case file(PrivateFileError)
    /// The passphrase does not open the backup, or is empty.
    case wrongPassphrase
    /// Deriving the key from the passphrase needs this many bytes of memory, which are not available.
    case noMemory(bytes: Int)
    /// The file is not a backup.
    case notABackup
    /// A newer Kith has written the backup.
    case version(UInt8)
    /// The file was cut off, damaged or altered.
    case damaged
    /// A record is longer than Kith accepts when it reads a backup. The limit is in bytes.
    case tooLong(limit: Int)
}
