import KithWire
import TLSCodec

/// Where one entry is in the log, with what one wants to know about it without going there.
struct EntryReference: Equatable, Sendable {
    var position: UInt64
    var id: EntryID
    var receivedAtMs: UInt64
    var size: UInt32

    /// The encoding's length in bytes.
    static let encodedSize = 8 + 16 + 8 + 4
}

/// References to consecutive entries of one channel.
///
/// `struct { struct { uint64 position; EntryID id; uint64 receivedAtMs; uint32 size; } references[n]; } EntryBlock;`
///
/// An index entry for each append would cost more than the append: the row of a channel is on another page than that of
/// the next. So a channel's entries are chained backwards, and references are written once for every
/// ``StoreLimits/entriesPerBlock`` of them.
struct EntryBlock: Equatable, Sendable {
    /// The seq of the last reference; they are consecutive.
    private(set) var lastSeq: UInt64
    private(set) var references: [EntryReference]

    /// The seq of the first reference; one more than ``lastSeq`` if there is none.
    var firstSeq: UInt64 { lastSeq + 1 - UInt64(references.count) }

    init(lastSeq: UInt64, references: [EntryReference] = []) {
        self.lastSeq = lastSeq
        self.references = references
    }

    /// Whether the entry with this seq is the last of a block.
    static func isComplete(at seq: UInt64) -> Bool { seq % StoreLimits.entriesPerBlock == 0 }

    /// The seq of the last entry that is in a complete block, in a channel that has come to `lastSeq`.
    static func lastComplete(upTo lastSeq: UInt64) -> UInt64 { lastSeq - lastSeq % StoreLimits.entriesPerBlock }

    mutating func append(_ reference: EntryReference) {
        references.append(reference)
        lastSeq += 1
    }

    /// The reference to an entry, if it is in this block.
    subscript(seq: UInt64) -> EntryReference? {
        guard seq >= firstSeq, seq <= lastSeq else { return nil }
        return references[Int(seq - firstSeq)]
    }

    /// The references from one seq through another, as far as they are here.
    func references(from first: UInt64, through last: UInt64) -> ArraySlice<EntryReference> {
        let first = max(first, firstSeq)
        let last = min(last, lastSeq)
        guard first <= last else { return [] }
        return references[Int(first - firstSeq)...Int(last - firstSeq)]
    }

    /// Forgets the references before `seq`.
    mutating func removeReferences(before seq: UInt64) {
        guard seq > firstSeq else { return }
        references.removeFirst(min(Int(seq - firstSeq), references.count))
    }

    /// The references' encoding; their seqs are in the row's key.
    var encodedReferences: [UInt8] {
        var writer = TLSWriter(capacity: references.count * EntryReference.encodedSize)
        for reference in references {
            writer.write(reference.position)
            writer.write(reference.id)
            writer.write(reference.receivedAtMs)
            writer.write(reference.size)
        }
        return writer.bytes
    }

    /// Reads references up to the end of the bytes.
    init(lastSeq: UInt64, encodedReferences bytes: [UInt8]) throws(StoreFailure) {
        var references: [EntryReference] = []
        references.reserveCapacity(bytes.count / EntryReference.encodedSize)
        do throws(TLSCodecError) {
            var reader = TLSReader(bytes)
            while !reader.isAtEnd {
                references.append(
                    EntryReference(
                        position: try reader.readUInt64(), id: try reader.read(),
                        receivedAtMs: try reader.readUInt64(), size: try reader.readUInt32()))
            }
        } catch { throw .damaged("a block of entry references does not parse") }
        guard references.count <= lastSeq else { throw .damaged("a block of entry references has too many") }
        self.init(lastSeq: lastSeq, references: references)
    }
}
