import KithSupport
import KithWire
import MLS
import TLSCodec

/// A message whose files are not all at the relay yet. The message moves to the conversation's outbox only when the relay has all
/// files, so that no text waits behind a file.
struct UploadRecord: Hashable, Sendable {
    let entryID: EntryID
    let sentAt: UInt64
    var files: OutgoingFiles
    /// One upload for each file that is not in the message itself, with the file's index.
    var uploads: [Upload]

    /// Creates the record of a new message.
    init(_ files: OutgoingFiles, as entryID: EntryID, sentAt: UInt64, random: RandomSource) {
        self.entryID = entryID
        self.sentAt = sentAt
        self.files = files
        uploads = files.files.indices.compactMap { index in
            guard case .source = files.files[index].content else { return nil }
            return Upload(ofFile: index, random: random)
        }
    }

    /// Whether the relay has all files.
    var isComplete: Bool { uploads.allSatisfy { $0.root != nil } }

    /// The layout of an upload's file.
    func layout(of upload: Upload) -> FileLayout { FileLayout(size: files.files[upload.index].size) }

    /// The content of the message; `nil` if a file is not at the relay yet.
    var message: FileMessage? {
        var attachments: [AttachedFile] = []
        for (index, file) in files.files.enumerated() {
            switch file.content {
            case .bytes(let bytes): attachments.append(AttachedFile(label: file.label, place: .inline(bytes)))
            case .source:
                guard let upload = uploads.first(where: { $0.index == index }), let root = upload.root else {
                    return nil
                }
                let blob = BlobReference(
                    blob: upload.blob, read: upload.read, key: upload.key, layout: layout(of: upload), root: root)
                attachments.append(AttachedFile(label: file.label, place: .blob(blob)))
            }
        }
        return FileMessage(caption: files.caption, attachments: attachments)
    }

    /// Leaves a file out of the message.
    mutating func leaveOut(_ index: Int) {
        files.files.remove(at: index)
        uploads.removeAll { $0.index == index }
        for number in uploads.indices where uploads[number].index > index { uploads[number].index -= 1 }
    }

    /// The files as users see them.
    var shown: MessageFiles {
        MessageFiles(
            caption: files.caption,
            files: files.files.enumerated().map { index, file in
                let isInline = if case .bytes = file.content { true } else { false }
                return MessageFile(number: index + 1, file.label, size: file.size, isInMessage: isInline)
            })
    }
}

/// The upload of one file.
///
/// A key must never encrypt two different plaintexts. To detect another plaintext, the digest of each piece is stored before the
/// piece is sent. A piece that is encrypted again is sent only if it has the same digest. If the file has changed, the upload
/// gets a new blob and a new key.
struct Upload: Hashable, Sendable {
    /// The file's index in the message.
    fileprivate(set) var index: Int
    private(set) var id: TransferID
    private(set) var blob: BlobID
    private(set) var read: Token
    private(set) var write: Token
    private(set) var key: SecretBytes
    /// Whether the relay has reserved room for the blob.
    var isReserved = false
    /// The root of the complete blob; `nil` until the relay has all of it.
    var root: [UInt8]?
    /// The number of times that the upload has started anew because the file has changed.
    private(set) var restarts: UInt8 = 0

    init(ofFile index: Int, random: RandomSource) {
        self.index = index
        id = .random(from: random)
        blob = .random(from: random)
        read = .random(from: random)
        write = .random(from: random)
        key = random.secret(32)
    }

    /// Begins anew, with another blob and another key.
    mutating func restart(random: RandomSource, countsAsChange: Bool) {
        let restarts = self.restarts
        self = Upload(ofFile: index, random: random)
        self.restarts = countsAsChange ? restarts + 1 : restarts
    }

    /// The blob that the relay has to reserve.
    ///
    /// - Parameter expiresAfter: the time after which everyone deletes the message, in seconds; `nil` for never.
    func newBlob(_ layout: FileLayout, expiresAfter: UInt32?) -> NewBlob {
        NewBlob(
            id: blob, read: Grant(for: read), write: Grant(for: write), size: layout.sealedSize,
            lifetimeSeconds: ClientLimits.blobSeconds(expiresAfter: expiresAfter))
    }

    static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.isReserved == right.isReserved && left.root == right.root
    }

    func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension BlobID {
    /// Creates a random id with a source of random bytes.
    static func random(from source: RandomSource) -> BlobID {
        var generator = SourceGenerator(source: source)
        return random(using: &generator)
    }
}

// MARK: The stored form

extension UploadRecord {
    private static let version: UInt8 = 1

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 1_024)
        writer.write(Self.version)
        writer.write(entryID)
        writer.write(sentAt)
        writer.write(files)
        writer.writeVector(uploads)
        return writer.bytes
    }

    init(stored: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(stored)
        let version = try reader.readUInt8()
        guard version == Self.version else {
            throw .unknownValue(field: "UploadRecord.version", value: UInt64(version))
        }
        entryID = try reader.read()
        sentAt = try reader.readUInt64()
        files = try reader.read()
        uploads = try reader.readVector(maximumCount: ClientLimits.attachments)
        try reader.expectEnd()
        for upload in uploads where !files.files.indices.contains(upload.index) {
            throw .unknownValue(field: "Upload.index", value: UInt64(upload.index))
        }
    }
}

extension Upload: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        index = Int(try reader.readUInt8())
        id = TransferID(rawValue: try reader.readUInt64())
        blob = try reader.read()
        read = try reader.read()
        write = try reader.read()
        key = SecretBytes(try reader.readBytes(32))
        isReserved = try reader.readPresence()
        root = try reader.readPresence() ? Array(try reader.readBytes(32)) : nil
        restarts = try reader.readUInt8()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(UInt8(index))
        writer.write(id.rawValue)
        writer.write(blob)
        writer.write(read)
        writer.write(write)
        key.withUnsafeBytes { writer.writeBytes($0) }
        writer.write(isReserved)
        writer.write(root != nil)
        if let root { writer.writeBytes(root) }
        writer.write(restarts)
    }
}
