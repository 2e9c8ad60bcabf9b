import Foundation
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

    /// A file on this device. The metadata of a JPEG, PNG, WebP or GIF picture is left out; see ``asIs(_:)``.
    public static func file(_ url: URL) -> FileToSend { FileToSend(origin: .path(url.path, keepsMetadata: false)) }

    /// A file on this device that is sent unchanged.
    public static func asIs(_ url: URL) -> FileToSend { FileToSend(origin: .path(url.path, keepsMetadata: true)) }
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
