import TLSCodec

/// The changes of a group that this device wants to make, in the order in which they were requested.
struct PendingIntents: Sendable, RandomAccessCollection {
    private var intents: [Intent] = []
    /// The number of the next intent. No number is used twice.
    private var next: UInt64 = 1

    init() {}

    var startIndex: Int { intents.startIndex }
    var endIndex: Int { intents.endIndex }
    subscript(position: Int) -> Intent { intents[position] }

    /// The intent with the given number; `nil` if it was removed.
    func intent(_ id: UInt64) -> Intent? { intents.first { $0.id == id } }

    // MARK: Changes

    /// Adds a change that this device wants to make.
    ///
    /// - Returns: the intent's number.
    mutating func add(_ change: Intent.Change) -> UInt64 {
        defer { next += 1 }
        intents.append(Intent(id: next, change: change))
        return next
    }

    /// Keeps only the given people in an intent to add members.
    mutating func keep(_ targets: [AddTarget], of id: UInt64) {
        guard let index = intents.firstIndex(where: { $0.id == id }) else { return }
        intents[index].change = .add(targets)
    }

    /// Removes an intent that is done or is no longer useful.
    mutating func remove(_ id: UInt64) { intents.removeAll { $0.id == id } }

    mutating func removeAll() { intents = [] }

    // MARK: Storing

    /// Reads the intents of a stored record.
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        intents = try reader.readVector()
        next = try reader.readUInt64()
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeVector(intents)
        writer.write(next)
    }
}
