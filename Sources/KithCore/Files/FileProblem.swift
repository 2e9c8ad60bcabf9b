import KithWire

/// The reason why files cannot be sent or received.
public enum FileProblem: Hashable, Sendable {
    /// The number of files is wrong: a message has 1 to `limit` files.
    case count(limit: Int)
    /// The file is larger than the relay accepts. `limit` is the size of the largest file, in bytes; `nil` if the relay has not stated
    /// a limit.
    case tooLarge(limit: UInt64?)
    /// The file was changed again and again while it was being sent.
    case keepsChanging
    /// The file can no longer be read, or its path leads to a link or to something other than a file.
    case unreadable
    /// The picture has changed, and its metadata can no longer be removed. Therefore the picture was not sent.
    case notCleaned
    /// The relay stores no files, or none for this conversation.
    case refused
    /// The conversation has ended.
    case ended
    /// The user has blocked the other person of the conversation.
    case blocked
    /// The relay does not have the file: the file has expired or was deleted, or the sender has not uploaded all of it within a
    /// day.
    case gone
    /// The relay has the file with another length than the sender has stated. The relay, or the sender, is lying.
    case wrongLength
    /// The relay has sent bytes that the sender has not encrypted for this place in the file. The client has used none of the
    /// bytes.
    case notGenuine
    /// There is no file with this number, or it has been deleted.
    case notFound
    /// The disk of this device has no room.
    case noRoom
    /// The file in the profile's folder is missing or damaged.
    case damaged
}

/// The reason why a relay does not take a file yet. The client tries again by itself.
public enum FileDelay: Hashable, Sendable {
    /// The device's address has created as many blobs as the relay takes from one address in a day. `retryMs` is the time until the
    /// next attempt, in milliseconds.
    case dayIsUsedUp(retryMs: UInt64)
    /// The relay has no room for the file. `retryMs` is as in ``dayIsUsedUp(retryMs:)``.
    case relayIsFull(retryMs: UInt64)

    /// Returns the reason for a relay's refusal to reserve a blob; `nil` if the refusal lasts only a moment.
    init?(_ refusal: RelayError) {
        let retryMs = max(refusal.retryDelayMs, ClientLimits.reservationPauseMs)
        switch refusal.code {
        case .tooFast: self = .dayIsUsedUp(retryMs: retryMs)
        case .full: self = .relayIsFull(retryMs: retryMs)
        default: return nil
        }
    }
}

/// An event about the files of a message.
public enum FileNotice: Hashable, Sendable {
    /// The relay takes the file with this name later. The message waits until then.
    case delayed(name: String, FileDelay)
    /// The file with this name has changed, so its upload starts anew.
    case restarted(name: String)
    /// The message was not sent, and is not kept. Either the message's conversation has ended, or the file with this name
    /// cannot be sent and the message contains nothing else: no other file, and no caption that the user has written.
    case notSent(name: String, FileProblem)
    /// The file with this name was left out of its message. The rest of the message is sent: the other files with the caption, or
    /// the caption as a text.
    case leftOut(name: String, FileProblem)
    /// A file is on this device now.
    case fetched(MessageFile)
    /// A file was not downloaded.
    case notFetched(MessageFile, FileProblem)
}

extension FileProblem {
    /// One sentence for the user, without a full stop.
    package var sentence: String {
        switch self {
        case .count(let limit): "a message has 1 to \(limit) files"
        case .tooLarge(let limit?):
            "the file is too large for this relay, which takes \(limit >> 10 >= 10_240 ? "\(limit >> 20) MiB" : "\(limit >> 10) KiB") at most"
        case .tooLarge(nil): "the file is too large"
        case .keepsChanging: "the file keeps changing while it is sent; send a copy of it"
        case .unreadable: "the file can't be read any more, or it is no longer at its place"
        case .notCleaned:
            "the picture has changed, and its metadata can't be removed; send it again, with --as-is if that may stay"
        case .refused: "this relay stores no files"
        case .ended: "the conversation has ended"
        case .blocked: "you have blocked this person"
        case .gone: "the relay no longer has the file; ask for it again"
        case .wrongLength: "the relay shows the file with a wrong length; it, or the sender, is lying"
        case .notGenuine: "the relay sent bytes that are not the file's; nothing of them was used"
        case .notFound: "there is no such file here"
        case .noRoom: "there is no room for the file on this device's disk"
        case .damaged: "the file in the profile's folder is missing or damaged; get it again"
        }
    }
}
