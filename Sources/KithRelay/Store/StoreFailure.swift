/// A failure of a store, without any identifier of a channel or a person.
public enum StoreFailure: Error, Hashable, Sendable {
    /// The disk is full.
    case full
    /// The disk or the database reported an error. The text is the system's.
    case io(String)
    /// The file does not have the data that was written. The text names the damaged place.
    case damaged(String)
}
