import KithSupport
import KithWire
import MLS

/// The files of a profile in the form that users and jobs see.
package struct FileViews {
    private let profile: ProfileMachine

    package init(_ profile: ProfileMachine) { self.profile = profile }

    // MARK: Requests to another process

    /// Prepares files that another process will send, because this process has opened the profile for reading only. Returns the
    /// future message, and the stored form of the request to the other process.
    package func queuedForOwner(
        _ files: OutgoingFiles, to id: ConversationID, now: UInt64
    ) throws(KithError) -> (message: Message, request: [UInt8]) {
        try files.check()
        try profile.checkSending(to: id)
        let channel = try profile.state.conversations.conversation(id).machine.record.channel
        let record = UploadRecord(files, as: profile.newEntryID, sentAt: now, random: profile.state.device.random)
        return (record.queuedMessage(in: id), FileRequest.send(record.entryID, id, channel, files).encoded)
    }

    /// Returns the stored form of a request to download a file.
    package func fetchRequest(_ place: FilePlace) -> [UInt8] { FileRequest.fetch(place).encoded }

    // MARK: Reading

    func entry(at place: FilePlace) throws(KithError) -> EntryRecord? { try entry(at: place.entry) }

    private func entry(at place: EntryPlace) throws(KithError) -> EntryRecord? {
        guard place.seq < StoreKey.highest else { return nil }
        return try profile.state.device.readableEntry(at: place)
    }

    func attachment(at place: FilePlace) throws(KithError) -> AttachedFile {
        guard let file = try entry(at: place)?.file(place.number) else { throw .files(.notFound) }
        return file
    }

    func keptFile(at place: FilePlace) throws(KithError) -> TransferID? {
        guard let key = place.key,
            let stored = try reading({ () throws(StoreError) in try profile.state.device.store.value(key) })
        else { return nil }
        return try decodingStored(.file) { try KeptFile(stored: stored).id }
    }

    /// Returns the content of a file, as far as it is known on this device.
    package func content(of place: FilePlace) throws(KithError) -> FileContent {
        let file = try attachment(at: place)
        let name = MessageFile(number: place.number, file).name
        switch file.place {
        case .inline(let bytes): return FileContent(name: name, bytes: .inMessage(bytes))
        case .blob(let reference):
            guard let id = try keptFile(at: place) else { return FileContent(name: name, bytes: .atRelay) }
            return FileContent(name: name, bytes: .kept(id, reference))
        }
    }

    /// Returns the preview of a file as its sender has sent it, and the file; empty if there is none. Nothing was checked.
    package func preview(of place: FilePlace) throws(KithError) -> (bytes: [UInt8], file: MessageFile) {
        let file = try attachment(at: place)
        return (file.label.thumbnail, MessageFile(number: place.number, file))
    }

    /// The rows of the files that are complete on this device.
    func storedFiles() throws(KithError) -> [StoredRow] {
        try reading { () throws(StoreError) in try profile.state.device.store.allRows(.file) }
    }

    /// Returns the state of a file.
    package func fileState(at place: FilePlace, _ file: MessageFile) throws(KithError) -> FileState {
        if file.isInMessage { return .onDevice }
        if try keptFile(at: place) != nil { return .onDevice }
        return try isDownloading(place) ? .downloading : .atRelay
    }

    /// Whether a file is being downloaded. A download by another process is found in the store.
    private func isDownloading(_ place: FilePlace) throws(KithError) -> Bool {
        if profile.state.device.downloads.id(at: place) != nil { return true }
        let rows = try reading { () throws(StoreError) in try profile.state.device.store.allValues(.download) }
        return rows.contains { (try? DownloadRecord(stored: $0.bytes))?.place == place }
    }

    /// Returns the state of a file that another process downloads. Only the store is read.
    ///
    /// - Returns: the state, and the number of pieces that are on this device. A file whose download has ended without success is
    ///   `atRelay`.
    package func storedState(at place: FilePlace) throws(KithError) -> (state: FileState, pieces: UInt64) {
        let store = profile.state.device.store
        if try keptFile(at: place) != nil { return (.onDevice, 0) }
        return try reading { () throws(StoreError) in
            for request in try store.allValues(.request) {
                if case .fetch(place)? = try? FileRequest(stored: request.bytes) { return (.downloading, 0) }
            }
            for row in try store.allValues(.download)
            where (try? DownloadRecord(stored: row.bytes))?.place == place {
                return (.downloading, try store.pieceCount(of: TransferID(rawValue: row.item)))
            }
            // The download may have ended since the file was looked up above.
            let isKept = try place.key.map { (key) throws(StoreError) in try store.value(key) != nil } ?? false
            return (isKept ? .onDevice : .atRelay, 0)
        }
    }

    /// Returns the newest messages with files in a conversation, the newest first.
    package func messagesWithFiles(in id: ConversationID, limit: Int) throws(KithError) -> [Message] {
        let machine = try profile.state.conversations.conversation(id).machine
        return try profile.newestMessages(in: machine, limit: limit) {
            if case .files = $0.body { true } else { false }
        }
    }

    /// Returns the message with files at a seq; `nil` if there is none.
    package func messageWithFiles(_ seq: UInt64, in id: ConversationID) throws(KithError) -> Message? {
        let machine = try profile.state.conversations.conversation(id).machine
        guard let record = try entry(at: EntryPlace(conversation: id, seq: seq)), case .files = record.body else {
            return nil
        }
        return profile.messages(of: record, seq: seq, in: machine).first
    }

    /// The uploads and downloads that are under way or wait.
    package var transfers: [TransferSummary] {
        var transfers: [TransferSummary] = []
        for (place, record) in profile.state.device.uploads.all {
            for upload in record.uploads {
                let total = record.layout(of: upload).sealedSize
                let done = profile.state.device.uploads.recorded(upload.id) * FileLayout.sealedPiece
                transfers.append(
                    TransferSummary(
                        id: upload.id, conversation: place.conversation, message: record.entryID,
                        file: record.shown.files[upload.index], isUpload: true,
                        done: upload.root == nil ? min(done, total) : total, total: total,
                        refusal: profile.state.device.uploads.refusal(upload.id)))
            }
        }
        for id in profile.state.device.downloads.ids {
            guard let place = profile.state.device.downloads.place(of: id), let record = try? entry(at: place),
                let file = record.file(place.number), case .blob(let reference) = file.place
            else { continue }
            let total = reference.layout.sealedSize
            transfers.append(
                TransferSummary(
                    id: id, conversation: place.conversation, message: record.id,
                    file: MessageFile(number: place.number, file), isUpload: false,
                    done: min(total, verifiedPieces(of: id) * FileLayout.sealedPiece), total: total))
        }
        return transfers
    }

    /// The number of pieces of a download that are verified and durable on this device.
    package func verifiedPieces(of id: TransferID) -> UInt64 { profile.state.device.downloads.verified(id) }

    /// The number of pieces of an upload whose digests are stored. A piece is sent only after its digest is stored.
    package func recordedPieces(of id: TransferID) -> UInt64 { profile.state.device.uploads.recorded(id) }

    /// The largest file that is downloaded without a request of the user, in bytes; 0 for none.
    package var autoDownload: UInt64 { profile.state.device.fileSettings.autoDownload }
}

/// An upload or a download.
package struct TransferSummary: Sendable {
    package let id: TransferID
    package let conversation: ConversationID
    package let message: EntryID
    package let file: MessageFile
    package let isUpload: Bool
    /// The size of the finished part of the ciphertext, in bytes: the pieces of an upload whose digests are stored, or the
    /// verified pieces of a download.
    package let done: UInt64
    /// The size of the ciphertext, in bytes.
    package let total: UInt64
    /// The relay's refusal that delays the transfer; `nil` if there is none.
    package var refusal: RelayError?
}

/// The state of a file on this device.
public enum FileState: Hashable, Sendable {
    /// The whole file is on this device.
    case onDevice
    /// The file is being downloaded.
    case downloading
    /// The file has to be downloaded from the relay first.
    case atRelay
}

/// A file and the place of its bytes.
package struct FileContent: Sendable {
    /// The file's name, which is safe in any folder.
    package let name: String
    package let bytes: Bytes

    package init(name: String, bytes: Bytes) { (self.name, self.bytes) = (name, bytes) }

    package enum Bytes: Sendable {
        case inMessage([UInt8])
        /// The profile's folder has the file's ciphertext, exactly as the relay had it.
        case kept(TransferID, BlobReference)
        case atRelay
    }
}
