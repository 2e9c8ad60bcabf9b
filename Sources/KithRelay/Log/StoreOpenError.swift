/// An error that keeps a store from being opened. After the error, the store still has all its data.
public enum StoreOpenError: Error, Equatable, CustomStringConvertible {
    /// The folder has no store.
    case missing(folder: String)
    /// The folder is in use. A store in this process or in a different process has opened the folder, or an audit is reading the
    /// folder.
    case inUse(folder: String)
    /// A newer version of Kith wrote the file.
    case newerVersion(file: String, version: UInt64, known: UInt64)
    /// An older version of Kith wrote the file. The file was opened only for reading, so the file cannot be migrated.
    case olderVersion(file: String)
    /// The file is a SQLite file, but not a relay's store.
    case foreign(file: String)
    /// The file is damaged. The text names the damaged place.
    case damaged(file: String, String)
    /// The system reported an error.
    case failed(file: String, StoreFailure)

    /// A sentence for the operator. The sentence names the file.
    public var description: String {
        switch self {
        case .missing(let folder):
            "there is no relay in \(folder); --data names another folder"
        case .inUse(let folder):
            "\(folder) is in use by another relay, or being audited"
        case .newerVersion(let file, let version, let known):
            "\(file) was written by a newer version of Kith (format \(version); this one knows up to \(known))"
        case .olderVersion(let file):
            "\(file) was written by an older version of Kith; start the relay once to update it"
        case .foreign(let file):
            "\(file) is not the store of a Kith relay"
        case .damaged(let file, let what):
            "\(file) is damaged: \(what). It is unchanged; restore it from a backup or move it away"
        case .failed(let file, .full):
            "\(file) cannot be opened: the disk is full"
        case .failed(let file, .io(let text)), .failed(let file, .damaged(let text)):
            "\(file) cannot be opened: \(text)"
        }
    }

    init(_ failure: StoreFailure, file: String) {
        self = if case .damaged(let text) = failure { .damaged(file: file, text) } else { .failed(file: file, failure) }
    }
}
