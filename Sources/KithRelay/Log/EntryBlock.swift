import KithWire
import TLSCodec

/// The position of one entry in the log, with the fields that are needed without reading its row.
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
/// An index entry for each append would cost more than the append, because the rows of two channels are on different
/// pages. So a channel's entries are chained backwards, and references are written once for every
/// ``StoreLimits/entriesPerBlock`` of them.
struct EntryBlock: Equatable, Sendable {
    /// The seq of the last reference. The references are consecutive.
    private(set) var lastSeq: UInt64
    private(set) var references: [EntryReference]

    /// The seq of the first reference; one more than ``lastSeq`` if the block is empty.
    var firstSeq: UInt64 { lastSeq + 1 - UInt64(references.count) }

    init(lastSeq: UInt64, references: [EntryReference] = []) {
        self.lastSeq = lastSeq
        self.references = references
    }

    /// Whether the entry with this seq is the last of a block.
    static func isComplete(at seq: UInt64) -> Bool { seq % StoreLimits.entriesPerBlock == 0 }

    /// The seq of the last entry in a complete block, in a channel with entries up to `lastSeq`.
    static func lastComplete(upTo lastSeq: UInt64) -> UInt64 { lastSeq - lastSeq % StoreLimits.entriesPerBlock }

    mutating func append(_ reference: EntryReference) {
        references.append(reference)
        lastSeq += 1
    }

    /// The reference to an entry; `nil` if it is not in this block.
    subscript(seq: UInt64) -> EntryReference? {
        guard seq >= firstSeq, seq <= lastSeq else { return nil }
        return references[Int(seq - firstSeq)]
    }

    /// The references from one seq through another, as far as the block has them.
    func references(from first: UInt64, through last: UInt64) -> ArraySlice<EntryReference> {
        let first = max(first, firstSeq)
        let last = min(last, lastSeq)
        guard first <= last else { return [] }
        return references[Int(first - firstSeq)...Int(last - firstSeq)]
    }

    /// Removes the references before `seq`.
    mutating func removeReferences(before seq: UInt64) {
        guard seq > firstSeq else { return }
        references.removeFirst(min(Int(seq - firstSeq), references.count))
    }

    /// The encoded references. Their seqs follow from the row's key.
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

    /// Decodes references up to the end of the bytes.
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
        } catch { throw .damaged("a block of entry references cannot be decoded") }
        guard references.count <= lastSeq else { throw .damaged("a block has too many entry references") }
        self.init(lastSeq: lastSeq, references: references)
    }
}
