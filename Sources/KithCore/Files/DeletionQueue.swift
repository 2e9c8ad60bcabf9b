import KithSupport
import KithWire
import MLS
import TLSCodec

/// The blobs of this device that nobody needs any more, and that a relay has to delete before they expire. A deletion is tried
/// again until the relay has deleted the blob, or until the blob has expired.
struct DeletionQueue {
    private struct Deletion {
        let blob: OwnBlob
        /// Whether a job is asking the relay to delete the blob.
        var isRunning = false
        /// The time of the next attempt, in milliseconds; see ``Clocks/now``. `nil` if the attempt may begin at once.
        var retryAt: UInt64?
        /// Number of successive attempts that have failed.
        var failures = 0
    }

    private var deletions: [TransferID: Deletion] = [:]

    // MARK: Reading

    var isEmpty: Bool { deletions.isEmpty }

    /// The blobs that have to be deleted, those that expire first at the beginning.
    var blobs: [OwnBlob] {
        deletions.sorted { ($0.value.blob.expiresMs, $0.key) < ($1.value.blob.expiresMs, $1.key) }.map(\.value.blob)
    }

    /// The number of jobs that may still begin.
    private var room: Int { max(0, ClientLimits.transfers - deletions.values.count(where: \.isRunning)) }

    /// The times of the next attempts, in milliseconds; see ``Clocks/now``. Empty while no further job may begin.
    var due: [UInt64] { room == 0 ? [] : deletions.values.compactMap { $0.isRunning ? nil : $0.retryAt } }

    /// Returns the deletions to begin now. Together with the running deletions, they are at most ``ClientLimits/transfers``.
    func startable(at now: UInt64) -> [(id: TransferID, blob: OwnBlob)] {
        deletions.filter { !$0.value.isRunning && ($0.value.retryAt ?? 0) <= now }
            .sorted { $0.key < $1.key }
            .prefix(room)
            .map { ($0.key, $0.value.blob) }
    }

    // MARK: Changes

    /// Adds a deletion from the store.
    mutating func load(_ id: TransferID, _ record: DeletionRecord) { deletions[id] = Deletion(blob: record.blob) }

    /// Adds a deletion, and stores it. If there are too many deletions, drops the one whose blob expires first.
    ///
    /// - Parameter retryAt: the time of the first attempt, in milliseconds; `nil` if the attempt may begin at once.
    mutating func add(_ blob: OwnBlob, at retryAt: UInt64?, random: RandomSource, in step: inout Step) {
        let id = TransferID.random(from: random)
        deletions[id] = Deletion(blob: blob, retryAt: retryAt)
        step.put(id.deletionKey, DeletionRecord(blob: blob).encoded)
        guard deletions.count > ClientLimits.blobDeletions,
            let first = deletions.min(by: { ($0.value.blob.expiresMs, $0.key) < ($1.value.blob.expiresMs, $1.key) })
        else { return }
        finish(first.key, in: &step)
    }

    mutating func didStart(_ id: TransferID) {
        deletions[id]?.isRunning = true
        deletions[id]?.retryAt = nil
    }

    /// Notes that a job has failed. The pauses between two attempts grow.
    ///
    /// - Parameter pauseMs: the pause for which the job has asked, in milliseconds.
    mutating func pause(_ id: TransferID, pauseMs: UInt64, at now: UInt64) {
        guard var deletion = deletions[id] else { return }
        let doubled = ClientLimits.reservationPauseMs << UInt64(min(deletion.failures, 16))
        deletion.isRunning = false
        deletion.failures += 1
        deletion.retryAt = now.plus(max(pauseMs, min(doubled, ClientLimits.longestDeletionPauseMs)))
        deletions[id] = deletion
    }

    /// Lets the deletions at a relay begin again, because the relay is connected.
    mutating func didConnect(_ relay: RelayID) {
        for (id, deletion) in deletions where deletion.blob.relay == relay { deletions[id]?.retryAt = nil }
    }

    /// Removes the deletions whose blobs have expired.
    ///
    /// - Parameter wall: the time of the device's clock, in milliseconds since 1970.
    mutating func removeExpired(at wall: UInt64, in step: inout Step) {
        for (id, deletion) in deletions where deletion.blob.expiresMs <= wall { finish(id, in: &step) }
    }

    /// Removes a deletion, because the relay no longer has the blob.
    mutating func finish(_ id: TransferID, in step: inout Step) {
        guard let deletion = deletions.removeValue(forKey: id) else { return }
        step.delete(id.deletionKey)
        if deletion.isRunning { step.endTransfer(id) }
    }
}

extension TransferID {
    /// The key under which the deletion of a blob is stored.
    fileprivate var deletionKey: StoreKey { StoreKey(.deletion, item: rawValue) }
}

/// A deletion, as it is stored.
struct DeletionRecord: Sendable {
    let blob: OwnBlob

    private static let version: UInt8 = 1

    var encoded: [UInt8] { [Self.version] + blob.encoded }

    init(blob: OwnBlob) { self.blob = blob }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else {
            throw .unknownValue(field: "DeletionRecord.version", value: UInt64(version))
        }
        blob = try reader.read()
        try reader.expectEnd()
    }
}
