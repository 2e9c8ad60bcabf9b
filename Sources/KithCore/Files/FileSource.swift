import KithSupport
import KithWire
import TLSCodec

/// The place from which an upload reads its file.
package enum FileSource: Hashable, Sendable {
    /// A file of the user, which stays where it is. `isCleaned` is `true` if the metadata of a picture is left out.
    case path(String, FileStamp, isCleaned: Bool)
    /// A file in the profile's folder, encrypted with this key. The file was read from a pipe, or contains a long text.
    case spool(TransferID, key: SecretBytes)

    package static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.path(let path, let stamp, let isCleaned), .path(let otherPath, let otherStamp, let otherIsCleaned)):
            path == otherPath && stamp == otherStamp && isCleaned == otherIsCleaned
        case (.spool(let id, let key), .spool(let otherID, let otherKey)): id == otherID && key == otherKey
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .path(let path, let stamp, _):
            hasher.combine(path)
            hasher.combine(stamp)
        case .spool(let id, _): hasher.combine(id)
        }
    }
}

/// The marks by which a changed file is recognized.
package struct FileStamp: Hashable, Sendable, TLSCodable {
    /// The size of the whole file, in bytes. In a picture, metadata that will be removed counts too.
    package var size: UInt64
    /// The time of the last change, in nanoseconds since 1970.
    package var modifiedNs: UInt64
    /// The file's number on its disk. It changes if the file is replaced by another one.
    package var inode: UInt64

    package init(size: UInt64, modifiedNs: UInt64, inode: UInt64) {
        self.size = size
        self.modifiedNs = modifiedNs
        self.inode = inode
    }

    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        size = try reader.readUInt64()
        modifiedNs = try reader.readUInt64()
        inode = try reader.readUInt64()
    }

    package func encode(into writer: inout TLSWriter) {
        writer.write(size)
        writer.write(modifiedNs)
        writer.write(inode)
    }
}

extension FileSource: TLSCodable {
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1:
            self = .path(
                try reader.readText(limit: ClientLimits.path), try reader.read(), isCleaned: try reader.readPresence())
        case 2:
            self = .spool(
                TransferID(rawValue: try reader.readUInt64()), key: SecretBytes(try reader.readBytes(32)))
        case let other: throw .unknownValue(field: "FileSource", value: UInt64(other))
        }
    }

    package func encode(into writer: inout TLSWriter) {
        switch self {
        case .path(let path, let stamp, let isCleaned):
            writer.write(UInt8(1))
            writer.writeText(path)
            writer.write(stamp)
            writer.write(isCleaned)
        case .spool(let id, let key):
            writer.write(UInt8(2))
            writer.write(id.rawValue)
            key.withUnsafeBytes { writer.writeBytes($0) }
        }
    }
}

/// A file that the user sends.
package struct PreparedFile: Hashable, Sendable {
    package var label: FileLabel
    package var content: Content

    package init(label: FileLabel, content: Content) {
        self.label = label
        self.content = content
    }

    package enum Content: Hashable, Sendable {
        /// The whole file, which is sent in the message itself.
        case bytes([UInt8])
        /// The file is read from a source when it is uploaded. `size` is the number of bytes to send.
        case source(FileSource, size: UInt64)
    }

    /// Takes another source, because the file has changed. The size and the preview of a picture are dropped, because they were
    /// those of the picture before.
    mutating func change(to source: FileSource, size: UInt64) {
        content = .source(source, size: size)
        label.dimensions = nil
        label.thumbnail = []
    }

    /// The size of the file that the recipients get, in bytes.
    var size: UInt64 {
        switch content {
        case .bytes(let bytes): UInt64(bytes.count)
        case .source(_, let size): size
        }
    }
}

extension PreparedFile: TLSCodable {
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        label = try reader.read()
        switch try reader.readUInt8() {
        case 1: content = .bytes(Array(try reader.readOpaque(limit: ClientLimits.inlineFiles)))
        case 2: content = .source(try reader.read(), size: try reader.readUInt64())
        case let other: throw .unknownValue(field: "PreparedFile.content", value: UInt64(other))
        }
    }

    package func encode(into writer: inout TLSWriter) {
        writer.write(label)
        switch content {
        case .bytes(let bytes):
            writer.write(UInt8(1))
            writer.writeOpaque(bytes)
        case .source(let source, let size):
            writer.write(UInt8(2))
            writer.write(source)
            writer.write(size)
        }
    }
}

/// Files that the user sends in one message.
package struct OutgoingFiles: Hashable, Sendable, TLSCodable {
    /// A text about the files; empty for none.
    package var caption: String
    package var files: [PreparedFile]
    /// The message that the files answer; `nil` for none.
    package var replyTo: EntryID?
    /// The time after which everyone deletes the files, in seconds.
    package var expiresAfter: UInt32?

    package init(
        caption: String, files: [PreparedFile], replyTo: EntryID? = nil, expiresAfter: UInt32? = nil
    ) {
        self.caption = caption
        self.files = files
        self.replyTo = replyTo
        self.expiresAfter = expiresAfter
    }

    /// The files in the profile's folder that wait to be sent.
    var spools: [TransferID] {
        files.compactMap { if case .source(.spool(let id, _), _) = $0.content { id } else { nil } }
    }

    /// Checks that the files can be one message.
    func check() throws(KithError) {
        guard caption.utf8.count <= ClientLimits.caption else { throw .tooLong(limit: ClientLimits.caption) }
        guard !caption.utf8.contains(0) else { throw .notText }
        guard (1...ClientLimits.attachments).contains(files.count) else {
            throw .files(.count(limit: ClientLimits.attachments))
        }
        let inline = files.reduce(0) { count, file in
            if case .bytes(let bytes) = file.content { count + bytes.count } else { count }
        }
        guard inline <= ClientLimits.inlineFiles, files.allSatisfy({ $0.size <= ClientLimits.file }) else {
            throw .files(.tooLarge(limit: nil))
        }
    }

    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        caption = try reader.readText(limit: ClientLimits.caption)
        files = try reader.readVector(maximumCount: ClientLimits.attachments)
        replyTo = try reader.readOptional()
        expiresAfter = try reader.readOptional()
    }

    package func encode(into writer: inout TLSWriter) {
        writer.writeText(caption)
        writer.writeVector(files)
        writer.writeOptional(replyTo)
        writer.writeOptional(expiresAfter)
    }
}
