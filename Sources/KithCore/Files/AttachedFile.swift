import KithSupport
import KithWire
import TLSCodec

/// A file of a message.
///
/// ```text
/// struct {
///     opaque name<V>;                 1 to 255 bytes of UTF-8
///     opaque media_type<V>;           0 to 64 printable characters of ASCII
///     uint8 flags;                    long text (1); other bits are ignored
///     optional<Dimensions> dimensions;
///     optional<uint32> duration_ms;
///     opaque thumbnail<V>;            at most 6 KiB
///     uint8 place;                    inline (0), blob (1)
///     select (place) { case inline: opaque bytes<V>; case blob: BlobReference reference; };
/// } AttachedFile;
/// struct { uint32 width; uint32 height; } Dimensions;
/// ```
struct AttachedFile: Hashable, Sendable {
    var label: FileLabel
    var place: Place

    /// The place of the file's bytes.
    enum Place: Hashable, Sendable {
        /// The bytes are in the message itself.
        case inline([UInt8])
        /// The bytes are in a blob at the conversation's relay.
        case blob(BlobReference)
    }

    /// The file's size, in bytes.
    var size: UInt64 {
        switch place {
        case .inline(let bytes): UInt64(bytes.count)
        case .blob(let blob): blob.layout.size
        }
    }
}

/// The description of a file, as its sender has stated it.
package struct FileLabel: Hashable, Sendable {
    package var name: String
    /// The media type, such as `image/jpeg`; empty if the sender states none.
    package var mediaType: String
    package var flags: Flags = []
    package var dimensions: Dimensions?
    /// The duration of a recording or film, in milliseconds.
    package var durationMs: UInt32?
    /// A small picture, as a JPEG or WebP file; empty for none.
    package var thumbnail: [UInt8] = []

    /// The name of the file with a text that was too long for a message.
    package static let longTextName = "text.txt"

    package init(name: String, mediaType: String, flags: Flags = []) {
        self.name = name
        self.mediaType = mediaType
        self.flags = flags
    }

    package struct Dimensions: Hashable, Sendable {
        package var width: UInt32
        package var height: UInt32

        package init(width: UInt32, height: UInt32) { (self.width, self.height) = (width, height) }
    }

    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The file is a text that was too long for a message. The message's caption is the text's beginning.
        package static let longText = Flags(rawValue: 1)
    }
}

/// A file in a blob, with everything that is needed to download and decrypt it.
///
/// ```text
/// struct { BlobID blob; Token read; opaque key[32]; uint64 size; uint64 padded; opaque root[32]; } BlobReference;
/// ```
///
/// `padded` is at least 1 and not less than `size`. It is at most the size to which ``FilePadding`` pads the file.
package struct BlobReference: Sendable {
    package let blob: BlobID
    package let read: Token
    package let key: SecretBytes
    package let layout: FileLayout
    /// The SHA-256 of the digests of all pieces of the ciphertext.
    package let root: [UInt8]

    package init(blob: BlobID, read: Token, key: SecretBytes, layout: FileLayout, root: [UInt8]) {
        self.blob = blob
        self.read = read
        self.key = key
        self.layout = layout
        self.root = root
    }

    /// The cipher of the file.
    package var cipher: FileCipher { FileCipher(key, padded: layout.padded) }
}

extension BlobReference: Hashable {
    package static func == (left: Self, right: Self) -> Bool {
        left.blob == right.blob && left.read == right.read && left.key == right.key && left.layout == right.layout
            && left.root == right.root
    }

    /// Hashes the id only, because secrets are not hashed. Ids are random, so they rarely collide.
    package func hash(into hasher: inout Hasher) { hasher.combine(blob) }
}

/// The files of a message. Content kind 5.
///
/// ```text
/// struct { opaque caption<V>; AttachedFile attachments<V>; } FileMessage;
/// ```
///
/// The caption has at most 4 KiB and may be empty. There are 1 to 16 attachments. The inline attachments together have at most 48
/// KiB.
struct FileMessage: Hashable, Sendable {
    let caption: String
    let attachments: [AttachedFile]
}

extension FileMessage {
    /// The files as they are shown and saved. The mark of a long text counts only if the file is the only one of its message,
    /// and the file then has a fixed name. Otherwise, a sender could use the mark to hide the names and the number of other
    /// files.
    var shown: [AttachedFile] {
        attachments.map { file in
            guard file.label.flags.contains(.longText) else { return file }
            var file = file
            if attachments.count == 1 {
                (file.label.name, file.label.mediaType) = (FileLabel.longTextName, MediaType.of(FileLabel.longTextName))
            } else {
                file.label.flags.remove(.longText)
            }
            return file
        }
    }
}

// MARK: The encoding

extension FileMessage: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        caption = try reader.readText(limit: ClientLimits.caption)
        guard !caption.utf8.contains(0) else { throw .unknownValue(field: "FileMessage.caption", value: 0) }
        attachments = try reader.readVector(maximumCount: ClientLimits.attachments)
        guard !attachments.isEmpty else { throw .unknownValue(field: "FileMessage.attachments", value: 0) }
        let inline = attachments.reduce(0) { count, file in
            if case .inline(let bytes) = file.place { count + bytes.count } else { count }
        }
        guard inline <= ClientLimits.inlineFiles else {
            throw .unknownValue(field: "FileMessage.inline", value: UInt64(inline))
        }
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeText(caption)
        writer.writeVector(attachments)
    }
}

extension AttachedFile: TLSCodable {
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        label = try reader.read()
        switch try reader.readUInt8() {
        case 0: place = .inline(Array(try reader.readOpaque(limit: ClientLimits.inlineFiles)))
        case 1: place = .blob(try reader.read())
        case let other: throw .unknownValue(field: "AttachedFile.place", value: UInt64(other))
        }
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(label)
        switch place {
        case .inline(let bytes):
            writer.write(UInt8(0))
            writer.writeOpaque(bytes)
        case .blob(let blob):
            writer.write(UInt8(1))
            writer.write(blob)
        }
    }
}

extension FileLabel: TLSCodable {
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        name = try reader.readText(limit: FileName.longest)
        guard !name.isEmpty else { throw .unknownValue(field: "AttachedFile.name", value: 0) }
        let type = try reader.readText(limit: ClientLimits.mediaType)
        guard type.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .unknownValue(field: "AttachedFile.media_type", value: 0)
        }
        mediaType = type
        flags = Flags(rawValue: try reader.readUInt8())
        dimensions = try reader.readOptional()
        durationMs = try reader.readOptional()
        thumbnail = Array(try reader.readOpaque(limit: ClientLimits.thumbnail))
    }

    package func encode(into writer: inout TLSWriter) {
        writer.writeText(name)
        writer.writeText(mediaType)
        writer.write(flags.rawValue)
        writer.writeOptional(dimensions)
        writer.writeOptional(durationMs)
        writer.writeOpaque(thumbnail)
    }
}

extension FileLabel.Dimensions: TLSCodable {
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        width = try reader.readUInt32()
        height = try reader.readUInt32()
    }

    package func encode(into writer: inout TLSWriter) {
        writer.write(width)
        writer.write(height)
    }
}

extension BlobReference: TLSCodable {
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        blob = try reader.read()
        read = try reader.read()
        key = SecretBytes(try reader.readBytes(32))
        let size = try reader.readUInt64()
        guard size <= ClientLimits.file else { throw .unknownValue(field: "BlobReference.size", value: size) }
        let padded = try reader.readUInt64()
        guard padded >= max(1, size), padded <= FilePadding.padded(size) else {
            throw .unknownValue(field: "BlobReference.padded", value: padded)
        }
        layout = FileLayout(size: size, padded: padded)
        root = Array(try reader.readBytes(32))
    }

    package func encode(into writer: inout TLSWriter) {
        writer.write(blob)
        writer.write(read)
        key.withUnsafeBytes { writer.writeBytes($0) }
        writer.write(layout.size)
        writer.write(layout.padded)
        writer.writeBytes(root)
    }
}
