import Foundation
import KithClient
import KithSupport
import KithWire

// The JSON objects that commands print. A field without a value is left out.

/// A message or a notice.
struct MessageReport: Encodable, Sendable {
    let conversation: UInt64
    let conversationName: String
    let id: String
    let seq: UInt64?
    let author: String
    let name: String?
    let contact: UInt64?
    let verified: Bool?
    let text: String?
    let files: [FileReport]?
    let notice: String?
    let unknownKind: UInt16?
    let sentAt: String
    let replyTo: String?
    let replyToSeq: UInt64?
    let deleted: Bool?
    let edited: Bool?
    let pinned: Bool?
    let mentionsMe: Bool?
    let expiresAfter: UInt32?
    let reactions: [ReactionReport]?
    let delivery: String?
    let readBy: Int?
    let readers: [UInt64]?
    let warnings: [String]?

    init(_ message: Message, in conversationName: String) {
        conversation = message.conversation.rawValue
        self.conversationName = conversationName
        id = message.id.hex
        seq = message.seq
        switch message.author {
        case .me: (author, name, contact, verified) = ("me", nil, nil, nil)
        case .contact(let id, let name, let trust):
            (author, self.name, contact, verified) = ("contact", name, id.rawValue, trust.isVerified)
        case .kith: (author, name, contact, verified) = ("kith", nil, nil, nil)
        }
        switch message.body {
        case .text(let text): (self.text, notice, unknownKind) = (text, nil, nil)
        case .files(let files): (text, notice, unknownKind) = (files.caption.isEmpty ? nil : files.caption, nil, nil)
        case .notice(let notice): (text, self.notice, unknownKind) = (nil, notice.sentence.description, nil)
        case .needsNewerKith(let kind): (text, notice, unknownKind) = (nil, nil, kind)
        case .deleted: (text, notice, unknownKind) = (nil, nil, nil)
        }
        files = message.files?.files.map(FileReport.init)
        deleted = message.body == .deleted ? true : nil
        edited = message.isEdited ? true : nil
        pinned = message.isPinned ? true : nil
        mentionsMe = message.mentionsMe ? true : nil
        expiresAfter = message.expiresAfter
        reactions = message.reactions.isEmpty ? nil : message.reactions.map(ReactionReport.init)
        sentAt = Timestamp(ms: message.sentAtMs).iso
        replyTo = message.replyTo?.hex
        replyToSeq = message.quote?.seq
        switch message.delivery {
        case nil: (delivery, readBy) = (nil, nil)
        case .queued: (delivery, readBy) = ("queued", nil)
        case .onRelay: (delivery, readBy) = ("onRelay", nil)
        case .read(let count): (delivery, readBy) = ("read", count)
        }
        readers = message.readers.isEmpty ? nil : message.readers.map(\.rawValue)
        warnings = message.warnings.isEmpty ? nil : message.warnings.map(\.sentence.description)
    }
}

/// A member's reaction to a message.
struct ReactionReport: Encodable, Sendable {
    let reaction: String
    let author: String
    let name: String?
    let contact: UInt64?

    init(_ reaction: Message.Reaction) {
        self.reaction = reaction.text
        switch reaction.author {
        case .contact(let id, let name, _): (author, self.name, contact) = ("contact", name, id.rawValue)
        case .me: (author, name, contact) = ("me", nil, nil)
        case .kith: (author, name, contact) = ("kith", nil, nil)
        }
    }
}

/// A change of an earlier message, with the message in its new state.
struct MessageChangeReport: Encodable, Sendable {
    let change: String
    let reaction: String?
    let by: String?
    let message: MessageReport

    init(_ message: Message, _ update: MessageUpdate, in conversationName: String) {
        self.message = MessageReport(message, in: conversationName)
        var author: Message.Author?
        switch update {
        case .reaction(let text, let by): (change, reaction, author) = (text == nil ? "unreacted" : "reacted", text, by)
        case .edited: (change, reaction) = ("edited", nil)
        case .deleted: (change, reaction) = ("deleted", nil)
        case .pinned(let by): (change, reaction, author) = ("pinned", nil, by)
        case .unpinned(let by): (change, reaction, author) = ("unpinned", nil, by)
        case .expired: (change, reaction) = ("expired", nil)
        }
        by = author?.name
    }
}

extension Message.Author {
    /// The author's name for programs, and `me` for the user.
    fileprivate var name: String {
        switch self {
        case .me: "me"
        case .contact(_, let name, _): name
        case .kith: "kith"
        }
    }
}

/// A conversation.
struct ConversationReport: Encodable, Sendable {
    let conversation: UInt64
    let name: String
    let isGroup: Bool
    let status: String
    let statusText: String?
    let members: Int
    let unread: Int
    let lastSeq: UInt64
    let lastActivity: String?
    let relay: String
    let suspect: Bool
    let pending: Bool
    let inviting: Bool
    let answered: Bool
    let expiresAfter: UInt32?
    let pinned: [UInt64]?
    let archived: Bool
    let muted: Bool
    let inviter: UInt64?
    let firstLines: String?

    init(_ summary: ConversationSummary) {
        conversation = summary.id.rawValue
        name = summary.name
        isGroup = !summary.isDirect
        status = summary.status.word
        statusText = summary.status == .active ? nil : summary.status.sentence.description
        members = summary.memberCount
        unread = summary.unread
        lastSeq = summary.lastSeq
        lastActivity = summary.lastActivityMs == 0 ? nil : Timestamp(ms: summary.lastActivityMs).iso
        relay = summary.relay.description
        suspect = summary.isSuspect
        pending = summary.isPending
        inviting = summary.isInviting
        answered = summary.hasAnswer
        expiresAfter = summary.timerSeconds
        pinned = summary.pinned.isEmpty ? nil : summary.pinned
        archived = summary.isArchived
        muted = summary.isMuted
        inviter = summary.inviter?.rawValue
        firstLines = summary.isPending ? summary.firstLines : nil
    }
}

extension ConversationStatus {
    /// The status as one word for programs.
    var word: String {
        switch self {
        case .preparing: "preparing"
        case .active: "active"
        case .removed: "removed"
        case .replaced: "replaced"
        case .left: "left"
        case .stopped: "stopped"
        }
    }
}

/// A contact.
struct ContactReport: Encodable, Sendable {
    let contact: UInt64
    let name: String
    let verified: Bool
    let trust: String
    let fingerprint: String
    let conflictingFingerprint: String?
    let registeredName: String?
    let reachable: Bool
    let blocked: Bool
    let request: String?

    init(_ contact: Contact) {
        self.contact = contact.id.rawValue
        name = contact.name
        verified = contact.trust.isVerified
        trust = contact.trust.word
        fingerprint = contact.accountKey.fingerprint.description
        conflictingFingerprint = contact.conflictingKey?.fingerprint.description
        registeredName = contact.registeredName?.text
        reachable = contact.inbox != nil
        blocked = contact.isBlocked
        request = contact.groupRequest?.text
    }
}

extension Trust {
    /// The reason to trust a contact's key, as one word for programs.
    var word: String {
        switch self {
        case .unverified: "unverified"
        case .usedMyInvite: "usedMyInvite"
        case .invite: "invite"
        case .compared: "compared"
        }
    }
}

/// A member of a conversation.
struct MemberReport: Encodable, Sendable {
    let contact: UInt64?
    let name: String
    let device: String
    let isMe: Bool
    let verified: Bool?
    let trust: String?

    init(_ member: Member) {
        contact = member.contact?.rawValue
        name = member.name
        device = member.deviceName
        isMe = member.isMe
        verified = member.isMe ? nil : member.trust.isVerified
        trust = member.isMe ? nil : member.trust.word
    }
}

/// An open invite.
struct InviteReport: Encodable, Sendable {
    let invite: UInt64
    let line: String
    let relay: String
    let reusable: Bool
    let expires: String

    init(_ open: OpenInvite) {
        invite = open.id.rawValue
        line = open.invite.line
        relay = open.invite.inbox.relay.address.description
        reusable = open.isReusable
        expires = Timestamp(seconds: open.invite.expiresAt).iso
    }
}

extension EntryID {
    /// The id as 32 hexadecimal digits.
    var hex: String { Hex.encode(bytes) }

    /// Reads the text that ``hex`` creates; `nil` for any other text.
    init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }
}
