import KithSupport

/// Why a backup could not be written or read.
public enum BackupError: Error, Hashable, Sendable {
    /// The file can't be written or read. `EEXIST`: there is one already; it is as it was.
    case file(PrivateFileError)
    /// The passphrase does not open it, or is empty.
    case wrongPassphrase
    /// There is not this much memory for making a key from the passphrase, in bytes.
    case noMemory(bytes: Int)
    /// The file is no backup.
    case notABackup
    /// A newer Kith wrote it.
    case version(UInt8)
    /// The file was cut off, damaged or altered.
    case damaged
    /// A record is longer than a reader would take; the limit in bytes.
    case tooLong(limit: Int)
}
