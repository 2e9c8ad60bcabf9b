import KithSupport
import KithWire
import MLS

/// The messages whose files are being uploaded.
struct UploadQueue {
    /// Identifies a message by its conversation and its number among the conversation's messages with files.
    struct Place: Hashable, Comparable {
        let conversation: ConversationID
        let number: UInt64

        var key: StoreKey { StoreKey(.upload, owner: conversation.rawValue, item: number) }

        static func < (left: Self, right: Self) -> Bool {
            (left.conversation, left.number) < (right.conversation, right.number)
        }
    }

    /// The part of an upload's state that is not stored in its message's record.
    private struct Progress {
        /// The number of pieces whose digests are stored.
        var recorded: UInt64 = 0
        /// Whether the relay was asked to reserve the blob, and has not answered.
        var isReserving = false
        /// The time of the next attempt to reserve the blob or to transfer bytes, in milliseconds; see ``Clocks/now``. `nil`
        /// if the attempt may begin at once.
        var retryAt: UInt64?
        /// The relay's refusal that delays the reservation; `nil` if there was none.
        var refusal: RelayError?
        /// Whether a job transfers the bytes.
        var isRunning = false
    }

    private var messages: [Place: UploadRecord] = [:]
    private var progress: [TransferID: Progress] = [:]

    // MARK: Reading

    var isEmpty: Bool { messages.isEmpty }

    /// The messages, in order.
    var all: [(place: Place, record: UploadRecord)] {
        messages.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    subscript(_ place: Place) -> UploadRecord? { messages[place] }

    /// The messages of one conversation, in order.
    func messages(in conversation: ConversationID) -> [UploadRecord] {
        all.filter { $0.place.conversation == conversation }.map(\.record)
    }

    /// Returns the place of the message to which an upload belongs, and the upload; `nil` if there is no such upload.
    func find(_ id: TransferID) -> (place: Place, upload: Upload)? {
        for (place, record) in messages {
            if let upload = record.uploads.first(where: { $0.id == id }) { return (place, upload) }
        }
        return nil
    }

    /// The number of uploads that may begin in addition to the running uploads.
    private var room: Int { max(0, ClientLimits.transfers - progress.values.count(where: \.isRunning)) }

    /// Returns the times of the next attempts, in milliseconds; see ``Clocks/now``.
    ///
    /// - Parameter canReserve: whether blobs can be reserved in a conversation now. Uploads in any other conversation are left
    ///   out.
    func due(_ canReserve: (ConversationID) -> Bool) -> [UInt64] {
        let hasRoom = room > 0
        return messages.flatMap { place, record -> [UInt64] in
            let canReserve = canReserve(place.conversation)
            return record.uploads.compactMap { upload in
                guard let progress = progress[upload.id], !progress.isReserving, !progress.isRunning else { return nil }
                return (upload.isReserved ? hasRoom : canReserve) ? progress.retryAt : nil
            }
        }
    }

    /// The number of pieces of an upload whose digests are stored.
    func recorded(_ id: TransferID) -> UInt64 { progress[id]?.recorded ?? 0 }

    /// The relay's refusal that delays an upload; `nil` if there is none.
    func refusal(_ id: TransferID) -> RelayError? { progress[id]?.refusal }

    /// Returns the uploads for which the relay has to reserve a blob now.
    func reservable(at now: UInt64) -> [(place: Place, upload: Upload)] {
        all.flatMap { place, record in
            record.uploads.filter { upload in
                let progress = progress[upload.id] ?? Progress()
                return !upload.isReserved && !progress.isReserving && progress.retryAt.map { $0 <= now } ?? true
            }.map { (place, $0) }
        }
    }

    /// Returns the uploads that may begin to transfer bytes, so that no more than ``ClientLimits/transfers`` run.
    func startable(at now: UInt64) -> [(place: Place, upload: Upload)] {
        let ready = all.flatMap { place, record in
            record.uploads.filter { upload in
                let progress = progress[upload.id] ?? Progress()
                return upload.isReserved && upload.root == nil && !progress.isRunning && (progress.retryAt ?? 0) <= now
            }.map { (place, $0) }
        }
        return Array(ready.prefix(room))
    }

    // MARK: Messages

    /// Adds a message from the store.
    mutating func load(_ place: Place, _ record: UploadRecord, from store: any ProfileStore) throws(KithError) {
        messages[place] = record
        for upload in record.uploads where upload.isReserved && upload.root == nil {
            let recorded = try reading { () throws(StoreError) in try store.pieceCount(of: upload.id) }
            progress[upload.id] = Progress(recorded: recorded)
        }
    }

    /// Adds a message, and stores it.
    mutating func add(_ record: UploadRecord, to conversation: ConversationID, in step: inout Step) {
        let last = messages.keys.filter { $0.conversation == conversation }.map(\.number).max() ?? 0
        let place = Place(conversation: conversation, number: last + 1)
        messages[place] = record
        step.put(place.key, record.encoded)
    }

    /// Removes a message, and everything that is stored for its uploads.
    mutating func remove(_ place: Place, in step: inout Step) -> UploadRecord? {
        guard let record = messages.removeValue(forKey: place) else { return nil }
        step.delete(place.key)
        for upload in record.uploads { forget(upload, in: &step) }
        for id in record.files.spools { step.removeFile(id) }
        return record
    }

    /// Leaves the file of an upload out of its message, and removes everything that is stored for the upload.
    mutating func leaveOut(_ id: TransferID, in step: inout Step) {
        guard let (place, upload) = find(id), var record = messages[place] else { return }
        forget(upload, in: &step)
        if case .source(.spool(let spool, _), _) = record.files.files[upload.index].content { step.removeFile(spool) }
        record.leaveOut(upload.index)
        messages[place] = record
        step.put(place.key, record.encoded)
    }

    private mutating func forget(_ upload: Upload, in step: inout Step) {
        if progress.removeValue(forKey: upload.id) != nil { step.endTransfer(upload.id) }
        step.deleteAll(.piece, owner: upload.id.rawValue)
    }

    private mutating func change(_ id: TransferID, in step: inout Step, _ body: (inout Upload) -> Void) {
        guard let place = find(id)?.place, var record = messages[place],
            let index = record.uploads.firstIndex(where: { $0.id == id })
        else { return }
        body(&record.uploads[index])
        messages[place] = record
        step.put(place.key, record.encoded)
    }

    // MARK: Reservations

    /// Notes that the relay was asked to reserve a blob.
    mutating func didAskForRoom(_ id: TransferID) {
        progress[id, default: Progress()].isReserving = true
        progress[id]?.retryAt = nil
    }

    /// Forgets the unanswered requests for a conversation's uploads, because the connection has ended.
    mutating func didDisconnect(_ conversation: ConversationID) {
        for record in messages(in: conversation) {
            for upload in record.uploads { progress[upload.id]?.isReserving = false }
        }
    }

    /// Handles the relay's answer to a reservation.
    ///
    /// - Returns: the problem, if the relay will never reserve the blob.
    mutating func didReserve(
        _ id: TransferID, _ result: Result<Reply, RelayError>, at now: UInt64, in step: inout Step
    ) -> FileProblem? {
        guard find(id) != nil else { return nil }
        progress[id, default: Progress()].isReserving = false
        switch result {
        case .success:
            progress[id]?.refusal = nil
            change(id, in: &step) { $0.isReserved = true }
            return nil
        case .failure(let error):
            switch error.code {
            case .tooLarge: return .tooLarge(limit: FileLayout.largestFile(inBlobOf: error.detail))
            case .denied, .exists, .gone: return .refused
            // The channel is in a later epoch. The turn that opened this epoch has not reached this device yet.
            case .staleEpoch:
                progress[id]?.retryAt = now.plus(ClientLimits.staleReservationPauseMs)
                return nil
            default:
                progress[id]?.refusal = error
                progress[id]?.retryAt = now.plus(max(error.retryDelayMs, ClientLimits.reservationPauseMs))
                return nil
            }
        }
    }

    // MARK: Jobs

    mutating func didStart(_ id: TransferID) {
        progress[id, default: Progress()].isRunning = true
        progress[id]?.retryAt = nil
    }

    /// Notes that a job has ended before its upload was complete. Until the next attempt, another upload can run in its place.
    ///
    /// - Parameter retryAt: the time of the next attempt, in milliseconds; see ``Clocks/now``.
    mutating func pause(_ id: TransferID, until retryAt: UInt64) {
        progress[id]?.isRunning = false
        progress[id]?.retryAt = retryAt
    }

    /// Records the digest of a piece before the piece is sent.
    mutating func record(
        _ digest: [UInt8], ofPiece piece: UInt64, of id: TransferID, from store: any ProfileStore, in step: inout Step
    ) throws(KithError) -> PieceDecision {
        guard find(id) != nil, let recorded = progress[id]?.recorded, piece <= recorded else { return .stop }
        if piece < recorded {
            let known = try reading { () throws(StoreError) in try store.value(id.pieceKey(piece)) }
            return known == digest ? .proceed : .changed
        }
        progress[id]?.recorded = piece + 1
        step.put(id.pieceKey(piece), digest)
        return .proceed
    }

    /// Notes that the relay has all bytes of a blob. Computes the blob's root from the stored digests.
    mutating func didUpload(_ id: TransferID, from store: any ProfileStore, in step: inout Step) throws(KithError) {
        guard let (place, upload) = find(id), let record = messages[place] else { return }
        let digests = try reading { () throws(StoreError) in try store.values(.piece, owner: id.rawValue) }
        guard UInt64(digests.count) == record.layout(of: upload).pieceCount else { throw .store(.damaged(.piece)) }
        progress[id] = nil
        step.deleteAll(.piece, owner: id.rawValue)
        change(id, in: &step) { $0.root = FileCipher.root(of: digests.map(\.bytes)) }
    }

    /// Begins an upload anew with another blob and another key.
    ///
    /// - Parameter changed: the source and the size of the file, if it has changed.
    /// - Returns: the problem, if the file has changed too often.
    mutating func restart(
        _ id: TransferID, changed: (source: FileSource, size: UInt64)?, at now: UInt64, random: RandomSource,
        in step: inout Step
    ) -> FileProblem? {
        guard let (place, upload) = find(id), var record = messages[place],
            let index = record.uploads.firstIndex(where: { $0.id == id })
        else { return nil }
        if changed != nil, upload.restarts >= ClientLimits.uploadRestarts { return .keepsChanging }
        forget(upload, in: &step)
        if let changed { record.files.files[upload.index].change(to: changed.source, size: changed.size) }
        record.uploads[index].restart(random: random, countsAsChange: changed != nil)
        // A relay that loses each blob must not be asked again at once.
        if changed == nil {
            progress[record.uploads[index].id] = Progress(retryAt: now.plus(ClientLimits.reservationPauseMs))
        }
        messages[place] = record
        step.put(place.key, record.encoded)
        return nil
    }
}
