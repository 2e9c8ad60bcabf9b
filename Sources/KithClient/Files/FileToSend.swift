import Foundation
import ImageMetadata
import KithCore
import KithWire

/// A file that the user sends.
public struct FileToSend: Sendable {
    enum Origin: Sendable {
        case path(String, keepsMetadata: Bool)
        /// A file in the profile's folder. The `LocalFile` holds a lock on that file until a value in the vault refers to the
        /// file.
        case prepared(PreparedFile, LocalFile)
    }

    let origin: Origin
    /// Whether the message gets a preview of a picture.
    private(set) var hasPreview = true

    private init(_ origin: Origin) { self.origin = origin }

    /// A file in the profile's folder, which the caller has locked.
    static func prepared(_ file: PreparedFile, _ local: LocalFile) -> FileToSend { FileToSend(.prepared(file, local)) }

    /// The same file, sent without a preview. Otherwise a program on this device makes a small picture of a JPEG, PNG, WebP or
    /// GIF picture, if there is such a program.
    public func withoutPreview() -> FileToSend {
        var file = self
        file.hasPreview = false
        return file
    }

    /// A file on this device. The metadata of a JPEG, PNG, WebP or GIF picture is left out; see ``asIs(_:)``.
    public static func file(_ url: URL) -> FileToSend { FileToSend(.path(url.path, keepsMetadata: false)) }

    /// A file on this device that is sent unchanged.
    public static func asIs(_ url: URL) -> FileToSend { FileToSend(.path(url.path, keepsMetadata: true)) }
}

/// A file of a message, and whether it is on this device.
public struct ListedFile: Hashable, Sendable {
    /// The message with the file.
    public let message: Message
    /// The file.
    public let file: MessageFile
    /// Whether the file is on this device.
    public let state: FileState
}

/// The progress of an upload or a download.
public struct FileProgress: Hashable, Sendable {
    /// The conversation.
    public let conversation: ConversationID
    /// The message's id.
    public let message: EntryID
    /// The file.
    public let file: MessageFile
    /// `true` if the file is being sent, and `false` if the file is being received.
    public let isUpload: Bool
    /// The number of bytes that have arrived at their destination.
    public let done: UInt64
    /// The number of bytes to transfer. Because of the encryption, it is a little more than the file's size.
    public let total: UInt64
    /// The reason why the transfer waits; `nil` if it runs.
    public let trouble: String?
}

/// A small picture of a file, which its sender has made.
public struct FilePreview: Hashable, Sendable {
    /// `image/jpeg` or `image/webp`.
    public let mediaType: String
    /// The width and height that the small picture states, in pixels.
    public let dimensions: PictureDimensions
    /// The file, without metadata. The bytes come from the sender, and the image in them was not decoded. So give them only to a
    /// decoder that may be attacked, for example one in a process of its own.
    public let bytes: [UInt8]

    /// Checks the preview that a sender has sent; `nil` if it is not valid.
    init?(checking bytes: [UInt8]) {
        guard let preview = PreviewPicture(checking: bytes) else { return nil }
        mediaType = preview.format.mediaType
        dimensions = PictureDimensions(width: preview.size.width, height: preview.size.height)
        self.bytes = preview.bytes
    }
}
