import KithSupport
import KithWire
import MLS
import TLSCodec

/// The files that are being downloaded.
struct DownloadQueue {
    private struct Download {
        var record: DownloadRecord
        var place: FilePlace { record.place }
        /// The reference in the message; `nil` until it is read from the store.
        var reference: BlobReference?
        /// The number of verified pieces that are durable on this device.
        var verified: UInt64 = 0
        /// Whether a job transfers the bytes.
        var isRunning = false
        /// The time of the next attempt, in milliseconds; see ``Clocks/now``. `nil` if the attempt may begin at once.
        var retryAt: UInt64?
        /// The commands that wait for the file.
        var tickets: [Ticket<Void>] = []
    }

    /// The reason for a download.
    enum Reason {
        /// The user wants the file. The value is the command that waits for the file, if there is one.
        case request(Ticket<Void>?)
        /// The contact has sent the file, and small files of the contact are downloaded without a request.
        case automatic(ContactID)
    }

    private var downloads: [TransferID: Download] = [:]

    // MARK: Reading

    var isEmpty: Bool { downloads.isEmpty }

    /// The number of the download of a file; `nil` if the file is not being downloaded.
    func id(at place: FilePlace) -> TransferID? { downloads.first { $0.value.place == place }?.key }

    /// The numbers of all downloads.
    var ids: [TransferID] { downloads.keys.sorted() }

    /// The reference of a download's file; `nil` if the reference has not been read from the store yet.
    func reference(of id: TransferID) -> BlobReference? { downloads[id]?.reference }

    /// The number of verified pieces of a download.
    func verified(_ id: TransferID) -> UInt64 { downloads[id]?.verified ?? 0 }

    /// The place of a download's file.
    func place(of id: TransferID) -> FilePlace? { downloads[id]?.place }

    /// The files of a conversation, or of one of its messages, that are being downloaded.
    func ids(in conversation: ConversationID, seq: UInt64? = nil) -> [TransferID] {
        downloads.filter { $0.value.place.conversation == conversation && (seq == nil || $0.value.place.seq == seq) }
            .keys.sorted()
    }

    /// The downloads that began without a request of the user, because this contact had sent the files.
    func automaticIDs(from contact: ContactID) -> [TransferID] {
        downloads.filter { $0.value.record.automaticFrom == contact }.keys.sorted()
    }

    /// The number of downloads that may still begin.
    private var room: Int { max(0, ClientLimits.transfers - downloads.values.count(where: \.isRunning)) }

    /// The times of the next attempts, in milliseconds; see ``Clocks/now``. Empty while no further download may begin.
    var due: [UInt64] {
        room == 0 ? [] : downloads.values.compactMap { $0.isRunning ? nil : $0.retryAt }
    }

    /// Whether a day has passed since the relay first said that the sender has not uploaded the whole file.
    ///
    /// - Parameter time: the time of the device's clock, in milliseconds since 1970.
    func isAbandoned(_ id: TransferID, at time: UInt64) -> Bool {
        guard let since = downloads[id]?.record.incompleteSince else { return false }
        return time >= since.plus(ClientLimits.incompleteFileMs)
    }

    /// Returns the downloads to begin now: at most as many as can run without exceeding ``ClientLimits/transfers``. Downloads
    /// that the user has requested come first.
    func startable(at now: UInt64) -> [(id: TransferID, place: FilePlace, reference: BlobReference?)] {
        func rank(_ id: TransferID, _ download: Download) -> (Int, TransferID) {
            (download.record.automaticFrom == nil ? 0 : 1, id)
        }
        return downloads.filter { !$0.value.isRunning && ($0.value.retryAt ?? 0) <= now }
            .sorted { rank($0.key, $0.value) < rank($1.key, $1.value) }
            .prefix(room)
            .map { ($0.key, $0.value.place, $0.value.reference) }
    }

    // MARK: Changes

    /// Adds a download from the store.
    mutating func load(_ id: TransferID, _ record: DownloadRecord, from store: any ProfileStore) throws(KithError) {
        let verified = try reading { () throws(StoreError) in try store.pieceCount(of: id) }
        downloads[id] = Download(record: record, verified: verified)
    }

    /// Begins a download, or joins the one that is under way.
    ///
    /// - Parameter reason: the reason for the download. If the file is being downloaded automatically, a request turns the
    ///   download into one that the user has requested.
    mutating func begin(
        _ place: FilePlace, _ reference: BlobReference, _ reason: Reason = .request(nil), random: RandomSource,
        in step: inout Step
    ) {
        let sender: ContactID? = if case .automatic(let sender) = reason { sender } else { nil }
        let id = id(at: place) ?? .random(from: random)
        if downloads[id] == nil {
            change(id, DownloadRecord(place: place, automaticFrom: sender), in: &step)
        } else if sender == nil {
            // The user wants the file now.
            downloads[id]?.retryAt = nil
            if var record = downloads[id]?.record, record.automaticFrom != nil {
                record.automaticFrom = nil
                change(id, record, in: &step)
            }
        }
        downloads[id]?.reference = reference
        if case .request(let ticket?) = reason { downloads[id]?.tickets.append(ticket) }
    }

    private mutating func change(_ id: TransferID, _ record: DownloadRecord, in step: inout Step) {
        downloads[id, default: Download(record: record)].record = record
        step.put(StoreKey(.download, item: id.rawValue), record.encoded)
    }

    mutating func didStart(_ id: TransferID, _ reference: BlobReference) {
        downloads[id]?.isRunning = true
        downloads[id]?.retryAt = nil
        downloads[id]?.reference = reference
    }

    /// Notes that a job has ended before its download was complete. Until the next attempt, another download can run in its
    /// place.
    ///
    /// - Parameters:
    ///   - retryAt: the time of the next attempt, in milliseconds; see ``Clocks/now``.
    ///   - incompleteAt: if the relay has said that the sender has not uploaded the whole file, the current time by the
    ///     device's clock, in milliseconds since 1970; otherwise `nil`.
    mutating func pause(_ id: TransferID, until retryAt: UInt64, incompleteAt: UInt64?, in step: inout Step) {
        guard var record = downloads[id]?.record else { return }
        downloads[id]?.isRunning = false
        downloads[id]?.retryAt = retryAt
        guard let incompleteAt, record.incompleteSince == nil else { return }
        record.incompleteSince = incompleteAt
        change(id, record, in: &step)
    }

    /// Records a piece that is verified and durable on this device. With the last piece, the file is complete.
    mutating func record(
        _ digest: [UInt8], ofPiece piece: UInt64, of id: TransferID, from store: any ProfileStore, in step: inout Step
    ) throws(KithError) -> PieceDecision {
        guard let download = downloads[id], let reference = download.reference, piece == download.verified else {
            return .stop
        }
        guard piece + 1 == reference.layout.pieceCount else {
            downloads[id]?.verified = piece + 1
            step.put(id.pieceKey(piece), digest)
            return .proceed
        }
        let earlier = try reading { () throws(StoreError) in try store.values(.piece, owner: id.rawValue) }
        guard UInt64(earlier.count) == piece, FileCipher.root(of: earlier.map(\.bytes) + [digest]) == reference.root
        else { return .notGenuine }
        if let key = download.place.key { step.put(key, KeptFile(id: id).encoded) }
        finish(id, .success(()), in: &step)
        return .proceed
    }

    /// Ends a download, and the commands that wait for it. Forgets the record of the download's pieces.
    @discardableResult
    mutating func finish(_ id: TransferID, _ result: Result<Void, KithError>, in step: inout Step) -> FilePlace? {
        guard let download = downloads.removeValue(forKey: id) else { return nil }
        step.delete(StoreKey(.download, item: id.rawValue))
        step.deleteAll(.piece, owner: id.rawValue)
        if case .failure = result {
            step.endTransfer(id)
            step.removeFile(id)
        }
        for ticket in download.tickets { step.finish(ticket, result) }
        return download.place
    }
}

/// A file that is complete on this device.
struct KeptFile: Hashable, Sendable {
    /// The number of the transfer that has brought the file. The file's name is made from it.
    let id: TransferID

    private static let version: UInt8 = 1

    var encoded: [UInt8] { [Self.version] + id.rawValue.encoded }

    init(id: TransferID) { self.id = id }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "KeptFile.version", value: UInt64(version)) }
        id = TransferID(rawValue: try reader.readUInt64())
        try reader.expectEnd()
    }
}

extension StoredRow {
    /// The file that the row names; `nil` if the row is damaged.
    var keptFile: TransferID? { bytes.flatMap { try? KeptFile(stored: $0) }?.id }
}

extension FilePlace {
    private static let version: UInt8 = 1

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 32)
        writer.write(Self.version)
        writer.write(conversation.rawValue)
        writer.write(seq)
        writer.write(UInt8(number))
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else { throw .unknownValue(field: "FilePlace.version", value: UInt64(version)) }
        conversation = ConversationID(rawValue: try reader.readUInt64())
        seq = try reader.readUInt64()
        number = Int(try reader.readUInt8())
        try reader.expectEnd()
        guard (1...ClientLimits.attachments).contains(number) else {
            throw .unknownValue(field: "FilePlace.number", value: UInt64(number))
        }
    }
}

/// The user's settings for files.
struct FileSettings: Hashable, Sendable {
    /// The largest file that is downloaded without a request of the user, in bytes; 0 for none.
    var autoDownload = ClientLimits.autoDownload

    static let key = StoreKey(.profile, item: 2)
    private static let version: UInt8 = 1

    init() {}

    var encoded: [UInt8] { [Self.version] + autoDownload.encoded }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else {
            throw .unknownValue(field: "FileSettings.version", value: UInt64(version))
        }
        autoDownload = try reader.readUInt64()
        try reader.expectEnd()
    }
}
