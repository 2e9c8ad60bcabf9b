/// The files of a message, with their caption.
public struct MessageFiles: Hashable, Sendable {
    /// The sender's text about the files; empty for none. If the file is a text that was too long for a message, the caption is
    /// the beginning of that text.
    public let caption: String
    /// The files, in the sender's order. There is at least one.
    public let files: [MessageFile]

    init(_ message: FileMessage) {
        caption = message.caption
        files = message.shown.enumerated().map { MessageFile(number: $0.offset + 1, $0.element) }
    }

    init(caption: String, files: [MessageFile]) {
        self.caption = caption
        self.files = files
    }
}

/// A file of a message, as its sender has described it.
public struct MessageFile: Hashable, Sendable {
    /// The file's number in its message, from 1.
    public let number: Int
    /// A name that is safe in any folder and on any terminal. It may differ from the name that the sender has given.
    public let name: String
    /// The media type that the sender states, such as `image/jpeg`; empty for none. It may be wrong.
    public let mediaType: String
    /// The size in bytes.
    public let size: UInt64
    /// Whether the file is a text that was too long for a message. The caption is the text's beginning.
    public let isLongText: Bool
    /// Whether the bytes are in the message itself, so that nothing has to be downloaded.
    public let isInMessage: Bool
    /// The width and height of a picture, in pixels, as the sender states them; `nil` if the sender states none. They may be
    /// wrong.
    public let dimensions: PictureDimensions?
    /// Whether the message contains a small picture of the file. `ProfileFiles.preview` returns it, if it is a valid one.
    public let hasPreview: Bool

    init(number: Int, _ attachment: AttachedFile) {
        let isInline = if case .inline = attachment.place { true } else { false }
        self.init(number: number, attachment.label, size: attachment.size, isInMessage: isInline)
    }

    init(number: Int, _ label: FileLabel, size: UInt64, isInMessage: Bool) {
        self.number = number
        name = FileName.clean(label.name)
        mediaType = label.mediaType
        self.size = size
        isLongText = label.flags.contains(.longText)
        self.isInMessage = isInMessage
        dimensions = label.dimensions.flatMap { stated in
            stated.width == 0 || stated.height == 0
                ? nil : PictureDimensions(width: stated.width, height: stated.height)
        }
        hasPreview = !label.thumbnail.isEmpty
    }
}

/// The width and height of a picture, in pixels.
public struct PictureDimensions: Hashable, Sendable {
    /// The width, in pixels.
    public let width: UInt32
    /// The height, in pixels.
    public let height: UInt32

    package init(width: UInt32, height: UInt32) { (self.width, self.height) = (width, height) }
}

extension EntryRecord.Body {
    /// The text in which a search looks for words; `nil` if there is none. For files, it contains the caption and the names.
    var searchText: String? {
        switch self {
        case .text(let text): text.text
        case .files(let message):
            ([message.caption] + message.shown.map(\.label.name)).joined(separator: "\n")
        case .notices, .unknown, .expired, .deleted, .deletedHere, .change: nil
        }
    }
}
