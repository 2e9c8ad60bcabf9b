import TLSCodec

/// The sender of a message (RFC 9420 §6).
public enum Sender: Hashable, Sendable, TLSCodable {
    /// The member with a given leaf.
    case member(LeafIndex)
    /// A sender in the `external_senders` extension, by its index in the list.
    case external(UInt32)
    /// A client that proposes its own addition.
    case newMemberProposal
    /// A client that joins with an external commit.
    case newMemberCommit

    /// Reads a sender.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.readUInt8() {
        case 1: self = .member(try reader.read())
        case 2: self = .external(try reader.readUInt32())
        case 3: self = .newMemberProposal
        case 4: self = .newMemberCommit
        case let other: throw .unknownValue(field: "sender_type", value: UInt64(other))
        }
    }

    /// Writes the sender.
    public func encode(into writer: inout TLSWriter) {
        switch self {
        case .member(let index):
            writer.write(UInt8(1))
            writer.write(index)
        case .external(let index):
            writer.write(UInt8(2))
            writer.write(index)
        case .newMemberProposal: writer.write(UInt8(3))
        case .newMemberCommit: writer.write(UInt8(4))
        }
    }
}

/// The kind of content of a message (RFC 9420 §6).
public enum ContentType: UInt8, Hashable, Sendable, TLSCodable {
    /// Application data.
    case application = 1
    /// A proposal.
    case proposal = 2
    /// A commit.
    case commit = 3

    /// Reads a content type.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let raw = try reader.readUInt8()
        guard let type = ContentType(rawValue: raw) else {
            throw .unknownValue(field: "content_type", value: UInt64(raw))
        }
        self = type
    }

    /// Writes the content type.
    public func encode(into writer: inout TLSWriter) { writer.write(rawValue) }
}

/// The content of a message, with its sender, group and epoch (RFC 9420 §6).
///
/// ```text
/// struct {
///     opaque group_id<V>;
///     uint64 epoch;
///     Sender sender;
///     opaque authenticated_data<V>;
///     ContentType content_type;
///     select (FramedContent.content_type) {
///         case application: opaque application_data<V>;
///         case proposal:    Proposal proposal;
///         case commit:      Commit commit;
///     };
/// } FramedContent;
/// ```
struct FramedContent: Hashable, Sendable, TLSCodable {
    enum Content: Hashable, Sendable {
        case application([UInt8])
        case proposal(Proposal)
        case commit(Commit)

        var type: ContentType {
            switch self {
            case .application: .application
            case .proposal: .proposal
            case .commit: .commit
            }
        }

        /// The approximate length of the encoding, in bytes. A writer uses the hint to reserve memory in advance.
        var sizeHint: Int {
            switch self {
            case .application(let data): data.count
            case .proposal: 512
            case .commit(let commit): commit.proposals.reduce(0) { $0 + $1.sizeHint } + (commit.path == nil ? 0 : 2_048)
            }
        }
    }

    let groupID: [UInt8]
    let epoch: UInt64
    let sender: Sender
    let authenticatedData: [UInt8]
    let content: Content

    init(groupID: [UInt8], epoch: UInt64, sender: Sender, authenticatedData: [UInt8], content: Content) {
        self.groupID = groupID
        self.epoch = epoch
        self.sender = sender
        self.authenticatedData = authenticatedData
        self.content = content
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        groupID = Array(try reader.readOpaque())
        epoch = try reader.readUInt64()
        sender = try reader.read()
        authenticatedData = Array(try reader.readOpaque())
        content = try Content(ContentType(from: &reader), from: &reader)
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.write(sender)
        writer.writeOpaque(authenticatedData)
        writer.write(content.type)
        content.encode(into: &writer)
    }
}

extension FramedContent.Content {
    /// Reads content whose type was already read.
    init(_ type: ContentType, from reader: inout TLSReader) throws(TLSCodecError) {
        switch type {
        case .application: self = .application(Array(try reader.readOpaque()))
        case .proposal: self = .proposal(try reader.read())
        case .commit: self = .commit(try reader.read())
        }
    }

    /// Writes the content without its type.
    func encode(into writer: inout TLSWriter) {
        switch self {
        case .application(let data): writer.writeOpaque(data)
        case .proposal(let proposal): writer.write(proposal)
        case .commit(let commit): writer.write(commit)
        }
    }
}

/// `FramedContentAuthData` (RFC 9420 §6.1): a signature, and for commits a confirmation tag.
struct FramedContentAuthData: Hashable, Sendable {
    let signature: [UInt8]
    var confirmationTag: [UInt8]?

    init(signature: [UInt8], confirmationTag: [UInt8]?) {
        self.signature = signature
        self.confirmationTag = confirmationTag
    }

    init(_ type: ContentType, from reader: inout TLSReader) throws(TLSCodecError) {
        signature = Array(try reader.readOpaque(limit: Limits.signatureLength))
        confirmationTag = type == .commit ? Array(try reader.readOpaque(limit: Limits.hashLength)) : nil
    }

    func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(signature)
        if let confirmationTag { writer.writeOpaque(confirmationTag) }
    }
}
