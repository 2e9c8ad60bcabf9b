import Foundation
import ImageMetadata
import KithCore
import KithSupport
import KithWire
import MLS
import PrivateFiles

/// The files of a profile: sending, listing, downloading and saving them.
public struct ProfileFiles: Sendable {
    let profile: Profile
    /// Makes the maker of the previews of one message.
    var makePreviewMaker: @Sendable () -> PreviewMaker = { PreviewMaker() }

    init(profile: Profile) { self.profile = profile }

    // MARK: Sending

    /// Sends files in one message. Returns when the message is stored on this device. The files are uploaded while the profile is
    /// open, and the message is sent when the relay has all of them. Texts do not wait for uploads.
    ///
    /// A message gets previews of its pictures, if a program for that is on this device; see ``FileToSend/withoutPreview()``. This
    /// delays the return by at most 5 s, and usually by a fraction of a second.
    ///
    /// The files must not change before the message is sent. If a file changes, the upload of that file starts anew, and a
    /// ``KithEvent/file(_:_:_:)`` reports the change.
    ///
    /// - Parameters:
    ///   - files: 1 to ``ClientLimits/attachments`` files.
    ///   - caption: a text about the files, of at most ``ClientLimits/caption`` bytes; empty for none.
    ///   - conversation: the conversation that gets the files.
    ///   - replyTo: the message that the files answer, if any.
    ///   - expiresAfter: time after which each device deletes the files, counted from the message's arrival on that device, and
    ///     rounded up to whole seconds; `nil` for never.
    /// - Returns: the message's id.
    /// - Throws: ``KithError``. After an error, nothing is stored.
    @discardableResult
    public func send(
        _ files: [FileToSend], caption: String = "", to conversation: ConversationID, replyTo: EntryID? = nil,
        expiresAfter: Duration? = nil
    ) async throws(KithError) -> EntryID {
        let prepared = try await prepare(files, caption, replyTo: replyTo, expiresAfter: expiresAfter)
        return try await profile.perform(.sendFiles(conversation, prepared))
    }

    /// Sends a text. A text that is too long for a message is sent as a file. The caption is the beginning of the text.
    ///
    /// - Parameters: as in ``Profile/send(_:to:replyTo:expiresAfter:)``.
    /// - Throws: ``KithError``. After an error, nothing is stored.
    @discardableResult
    package func sendText(
        _ text: String, to conversation: ConversationID, replyTo: EntryID? = nil, expiresAfter: Duration? = nil
    ) async throws(KithError) -> EntryID {
        guard text.utf8.count > ClientLimits.text, TextRules.problem(with: text, limit: .max) == nil else {
            return try await profile.send(text, to: conversation, replyTo: replyTo, expiresAfter: expiresAfter)
        }
        let (file, preview) = try longText(text)
        return try await send(
            [file], caption: preview, to: conversation, replyTo: replyTo, expiresAfter: expiresAfter)
    }

    /// Stores files in a profile that is open for reading only. The files are sent by the process that has opened the profile
    /// for sending.
    ///
    /// - Throws: ``KithError``, for the same reasons as ``send(_:caption:to:replyTo:expiresAfter:)``.
    package func enqueueForOwner(
        _ files: [FileToSend], caption: String = "", to conversation: ConversationID, replyTo: EntryID? = nil,
        expiresAfter: Duration? = nil
    ) async throws(KithError) -> Message {
        let prepared = try await prepare(files, caption, replyTo: replyTo, expiresAfter: expiresAfter)
        return try await profile.leaveRequest { (views) throws(KithError) in
            let (message, request) = try views.queuedForOwner(prepared, to: conversation, now: Profile.now)
            return (request, message)
        }
    }

    /// Opens the files and decides which of them are small enough for the message itself.
    private func prepare(
        _ files: [FileToSend], _ caption: String, replyTo: EntryID?, expiresAfter: Duration?
    ) async throws(KithError) -> OutgoingFiles {
        guard (1...ClientLimits.attachments).contains(files.count) else {
            throw .files(.count(limit: ClientLimits.attachments))
        }
        var room = ClientLimits.inlineFiles
        var prepared: [PreparedFile] = []
        var pictures: [UploadSource?] = []
        for file in files {
            let (next, source) = try Self.prepare(file, room: room)
            if case .bytes(let bytes) = next.content { room -= bytes.count }
            prepared.append(next)
            pictures.append(file.hasPreview ? source : nil)
        }
        let previews = await previews(of: pictures)
        for (index, preview) in previews { prepared[index].label.thumbnail = preview }
        return OutgoingFiles(
            caption: caption, files: prepared, replyTo: replyTo, expiresAfter: try expiresAfter?.textSeconds())
    }

    /// Makes the previews of pictures.
    ///
    /// - Parameter sources: the bytes of each file; `nil` for a file that gets no preview.
    /// - Returns: the previews, each with the index of its file.
    private func previews(of sources: [UploadSource?]) async -> [Int: [UInt8]] {
        guard sources.contains(where: { $0 != nil }) else { return [:] }
        let previews = try? await FileTransfers.onDisk { [makePreviewMaker] in
            let maker = makePreviewMaker()
            return sources.map { $0.flatMap(maker.preview(of:)) }
        }
        return Dictionary(
            uniqueKeysWithValues: (previews ?? []).enumerated().compactMap { index, preview in
                preview.map { (index, $0) }
            })
    }

    /// - Parameter room: the number of bytes that are left in the message.
    /// - Returns: the file, and its bytes if they are not in the message itself.
    private static func prepare(
        _ file: FileToSend, room: Int
    ) throws(KithError) -> (file: PreparedFile, source: UploadSource?) {
        switch file.origin {
        case .prepared(let prepared, _): return (prepared, nil)
        case .path(let path, let keepsMetadata):
            do throws(PrivateFileError) {
                let source = try UploadSource(path: path, cleans: !keepsMetadata)
                let name = FileName.clean(path)
                var label = FileLabel(name: name, mediaType: MediaType.of(name))
                label.dimensions = PictureSize(of: source).map { .init(width: $0.width, height: $0.height) }
                if source.size <= room, let bytes = try? source.read(0..<source.size), !source.hasChanged {
                    return (PreparedFile(label: label, content: .bytes(bytes)), nil)
                }
                return (PreparedFile(label: label, content: .source(source.source, size: source.size)), source)
            } catch { throw .file(error) }
        }
    }

    /// Collects bytes in an encrypted file in the profile's folder, and returns that file for sending. The number of bytes need
    /// not be known in advance.
    ///
    /// - Parameters:
    ///   - name: the name of the file.
    ///   - next: returns the next bytes; `nil` at the end.
    /// - Throws: ``KithError``, or an error of `next`. After an error, nothing is stored.
    package func collect(named name: String, _ next: () throws -> [UInt8]?) throws -> FileToSend {
        try collect(named: name, flags: [], next)
    }

    /// Makes a file of a text that is too long for a message.
    ///
    /// - Returns: the file, and the beginning of the text, which becomes the caption.
    /// - Throws: ``KithError``. After an error, nothing is stored.
    package func longText(_ text: String) throws(KithError) -> (file: FileToSend, preview: String) {
        var rest: [UInt8]? = Array(text.utf8)
        let file: FileToSend
        do {
            file = try collect(named: FileLabel.longTextName, flags: .longText) {
                defer { rest = nil }
                return rest
            }
        } catch let error as KithError {
            throw error
        } catch {
            // Only the encryption could fail with another error, but the encryption accepts every key and every chunk.
            throw .files(.unreadable)
        }
        var preview = ""
        for character in text {
            guard preview.utf8.count + character.utf8.count <= ClientLimits.preview else { break }
            preview.append(character)
        }
        return (file, preview)
    }

    private func collect(
        named name: String, flags: FileLabel.Flags, _ next: () throws -> [UInt8]?
    ) throws -> FileToSend {
        guard let folder = profile.transfers?.folder else { throw KithError.noProfile }
        do {
            var spool = try Spool(in: folder)
            do {
                while let bytes = try next() { try spool.append(bytes) }
                try spool.finish()
            } catch {
                spool.discard()
                throw error
            }
            let clean = FileName.clean(name)
            let label = FileLabel(name: clean, mediaType: MediaType.of(clean), flags: flags)
            let content = PreparedFile.Content.source(.spool(spool.id, key: spool.key), size: spool.size)
            return .prepared(PreparedFile(label: label, content: content), spool.file)
        } catch let error as PrivateFileError { throw KithError.file(error) }
    }

    /// Whether a file has a format that may contain metadata that Kith cannot remove.
    package static func keepsMetadata(_ url: URL) -> Bool {
        let type = MediaType.of(url.lastPathComponent)
        let plain = ["text/", "application/json", "application/zip", "application/gzip", "application/x-tar"]
        guard !plain.contains(where: type.hasPrefix), let source = try? UploadSource(path: url.path, cleans: true)
        else {
            return false
        }
        if case .path(_, _, isCleaned: false) = source.source { return true }
        return false
    }

    // MARK: Listing

    /// The newest files of a conversation, the newest message first.
    ///
    /// - Parameters:
    ///   - conversation: the conversation.
    ///   - limit: the maximum number of messages.
    public func list(in conversation: ConversationID, limit: Int = 100) async throws(KithError) -> [ListedFile] {
        try await profile.withFiles { (views) throws(KithError) in
            var listed: [ListedFile] = []
            for message in try views.messagesWithFiles(in: conversation, limit: limit) {
                listed += try Self.list(message, views)
            }
            return listed
        }
    }

    /// The files of the message at a seq; empty if there is no such message with files.
    public func list(of seq: UInt64, in conversation: ConversationID) async throws(KithError) -> [ListedFile] {
        try await profile.withFiles { (views) throws(KithError) in
            try views.messageWithFiles(seq, in: conversation).map { (message) throws(KithError) in
                try Self.list(message, views)
            } ?? []
        }
    }

    private static func list(_ message: Message, _ views: FileViews) throws(KithError) -> [ListedFile] {
        guard let seq = message.seq else { return [] }
        var listed: [ListedFile] = []
        for file in message.files?.files ?? [] {
            let place = FilePlace(conversation: message.conversation, seq: seq, number: file.number)
            listed.append(ListedFile(message: message, file: file, state: try views.fileState(at: place, file)))
        }
        return listed
    }

    /// The number and the total size, in bytes, of the received files that are on this device. Small files inside messages do not
    /// count.
    public func kept() async throws(KithError) -> (count: Int, bytes: UInt64) {
        let kept = try await profile.withFiles { (views) throws(KithError) in try views.keptFiles() }
        return (kept.count, kept.reduce(0) { $0 + $1.size })
    }

    /// The uploads and downloads that run or wait.
    public func progress() async -> [FileProgress] {
        let running = profile.transfers?.progress ?? [:]
        return await profile.withFiles { $0.transfers }.map { transfer in
            let progress = running[transfer.id]
            return FileProgress(
                conversation: transfer.conversation, message: transfer.message, file: transfer.file,
                isUpload: transfer.isUpload, done: progress?.done ?? transfer.done,
                total: progress?.total ?? transfer.total, trouble: progress?.trouble ?? transfer.refusal?.sentence)
        }
    }

    // MARK: Receiving

    /// The size up to which files are downloaded without a request of the user, in bytes; 0 if no file is downloaded without a
    /// request.
    public func autoDownload() async -> UInt64 { await profile.withFiles { $0.autoDownload } }

    /// Sets the size up to which files are downloaded without a request. The size applies only to senders whose key the user
    /// has compared, or has from the sender's own invite. There is also a limit for each sender and day.
    ///
    /// - Parameter limit: the size, in bytes; 0 to download no file without a request.
    public func setAutoDownload(upTo limit: UInt64) async throws(KithError) {
        try await profile.perform(.setAutoDownload(limit))
    }

    /// Downloads a file, if the file is not on this device. Returns when the whole file is on this device.
    ///
    /// - Parameters:
    ///   - number: the file's number in its message, from 1.
    ///   - seq: the message's seq.
    ///   - conversation: the message's conversation.
    /// - Throws: ``KithError``. The error is ``KithError/files(_:)`` if the file cannot be downloaded.
    public func fetch(_ number: Int, of seq: UInt64, in conversation: ConversationID) async throws(KithError) {
        try await profile.perform(.fetch(FilePlace(conversation: conversation, seq: seq, number: number)))
    }

    /// Asks the process that has opened the profile to download a file.
    package func request(_ number: Int, of seq: UInt64, in conversation: ConversationID) async throws(KithError) {
        let place = FilePlace(conversation: conversation, seq: seq, number: number)
        try await profile.leaveRequest { (views) throws(KithError) in (views.fetchRequest(place), ()) }
    }

    /// Returns the state of a file that another process downloads, and the number of the file's pieces that are on this device.
    /// A file whose download has ended without success is `atRelay`.
    package func requestedState(
        _ number: Int, of seq: UInt64, in conversation: ConversationID
    ) async throws(KithError) -> (state: FileState, pieces: UInt64) {
        let place = FilePlace(conversation: conversation, seq: seq, number: number)
        return try await profile.withFiles { (views) throws(KithError) in try views.storedState(at: place) }
    }
}
