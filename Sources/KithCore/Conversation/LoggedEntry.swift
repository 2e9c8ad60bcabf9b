import KithWire

/// An entry of the log, with the view of the log after it.
struct LoggedEntry {
    let entry: Entry
    let view: LogView

    init(_ entry: Entry, after before: LogView) {
        self.entry = entry
        view = before.after(entry)
    }
}

/// A turn whose commit was applied.
struct AppliedTurn {
    /// The turn, with the view of the log after the turn. This view belongs to the epoch that the turn has ended.
    let logged: LoggedEntry
    let author: EntryRecord.Author
    var notices: [Notice]
    let warnings: [Warning]
    /// Whether the turn's warnings are reported. Those about a blocked person's view are only stored.
    var isReported = true

    init(_ logged: LoggedEntry, author: EntryRecord.Author, notices: [Notice], warnings: [Warning] = []) {
        self.logged = logged
        self.author = author
        self.notices = notices
        self.warnings = warnings
    }

    /// Returns the record of the turn. `warnings` replaces the turn's own warnings, unless it is `nil`.
    func record(with warnings: [Warning]? = nil) -> EntryRecord {
        EntryRecord(
            logged.entry, view: logged.view, author: author, body: .notices(notices),
            warnings: warnings ?? self.warnings)
    }
}
