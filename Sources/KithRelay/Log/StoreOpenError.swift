/// Why a store could not be opened. Nothing was changed in its folder.
public enum StoreOpenError: Error, Equatable, CustomStringConvertible {
    /// There is no store in the folder.
    case missing(folder: String)
    /// Another process, or another store of this one, has the folder open; or an audit reads it.
    case inUse(folder: String)
    /// A newer Kith wrote it.
    case newerVersion(file: String, version: UInt64, known: UInt64)
    /// An older Kith wrote it, and it was opened for reading only.
    case olderVersion(file: String)
    /// A SQLite file, but not one of Kith's.
    case foreign(file: String)
    /// What is in the file is not what was written.
    case damaged(file: String, String)
    /// The system refused.
    case failed(file: String, StoreFailure)

    /// A sentence for whoever starts the relay. It names the file.
    public var description: String {
        switch self {
        case .missing(let folder):
            "there is no relay in \(folder); --data names another folder"
        case .inUse(let folder):
            "\(folder) is in use by another relay, or being audited"
        case .newerVersion(let file, let version, let known):
            "\(file) was written by a newer version of Kith (format \(version); this one knows up to \(known))"
        case .olderVersion(let file):
            "\(file) was written by an older version of Kith: start the relay once, which brings it up to date"
        case .foreign(let file):
            "\(file) is not the store of a Kith relay"
        case .damaged(let file, let what):
            "\(file) is damaged: \(what). It was left as it is; restore it from a backup or move it away"
        case .failed(let file, .full):
            "\(file) cannot be opened: there is no room on the disk"
        case .failed(let file, .io(let text)), .failed(let file, .damaged(let text)):
            "\(file) cannot be opened: \(text)"
        }
    }

    init(_ failure: StoreFailure, file: String) {
        self = if case .damaged(let text) = failure { .damaged(file: file, text) } else { .failed(file: file, failure) }
    }
}
