import KithWire
import TLSCodec

/// The position of one entry in the log, and copies of some of the entry's fields. Readers of these fields do not need the
/// entry's row.
struct EntryReference: Equatable, Sendable {
    var position: UInt64
    var id: EntryID
    var receivedAtMs: UInt64
    var size: UInt32

    /// The size of an encoded reference, in bytes.
    static let encodedSize = 8 + 16 + 8 + 4
}

/// References to consecutive entries of one channel.
///
/// `struct { struct { uint64 position; EntryID id; uint64 receivedAtMs; uint32 size; } references[n]; } EntryBlock;`
///
/// Each entry refers to the channel's previous entry. A block of references is written only once for every
/// ``StoreLimits/entriesPerBlock`` entries. An index of all entries by channel would more than double the cost of an append: each
/// append would write one more page.
struct EntryBlock: Equatable, Sendable {
    /// The seq of the last reference. The references are consecutive.
    private(set) var lastSeq: UInt64
    private(set) var references: [EntryReference]

    /// The seq of the first reference. If the block is empty, the value is one more than ``lastSeq``.
    var firstSeq: UInt64 { lastSeq + 1 - UInt64(references.count) }

    init(lastSeq: UInt64, references: [EntryReference] = []) {
        self.lastSeq = lastSeq
        self.references = references
    }

    /// Whether the entry with this seq is the last of a block.
    static func isComplete(at seq: UInt64) -> Bool { seq % StoreLimits.entriesPerBlock == 0 }

    /// Returns the last seq in a complete block. `lastSeq` is the seq of the channel's last entry.
    static func lastComplete(upTo lastSeq: UInt64) -> UInt64 { lastSeq - lastSeq % StoreLimits.entriesPerBlock }

    mutating func append(_ reference: EntryReference) {
        references.append(reference)
        lastSeq += 1
    }

    /// The reference to an entry; `nil` if the block has no reference to the entry.
    subscript(seq: UInt64) -> EntryReference? {
        guard seq >= firstSeq, seq <= lastSeq else { return nil }
        return references[Int(seq - firstSeq)]
    }

    /// The references from `first` through `last` that are in the block.
    func references(from first: UInt64, through last: UInt64) -> ArraySlice<EntryReference> {
        let first = max(first, firstSeq)
        let last = min(last, lastSeq)
        guard first <= last else { return [] }
        return references[Int(first - firstSeq)...Int(last - firstSeq)]
    }

    /// Removes the references to the entries before `seq`.
    mutating func removeReferences(before seq: UInt64) {
        guard seq > firstSeq else { return }
        references.removeFirst(min(Int(seq - firstSeq), references.count))
    }

    /// The encoded references, without their seqs. Readers compute the seqs from the key of the block's row.
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

    /// Decodes references until the bytes end.
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
