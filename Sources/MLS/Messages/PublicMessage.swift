import KithSupport
import TLSCodec

/// A message that is signed and not encrypted (RFC 9420 §6.2).
///
/// ```text
/// struct {
///     FramedContent content;
///     FramedContentAuthData auth;
///     select (PublicMessage.content.sender.sender_type) {
///         case member: MAC membership_tag;
///         case external, new_member_commit, new_member_proposal: struct{};
///     };
/// } PublicMessage;
/// ```
public struct PublicMessage: Hashable, Sendable, TLSCodable {
    let content: FramedContent
    let auth: FramedContentAuthData
    let membershipTag: [UInt8]?

    init(content: FramedContent, auth: FramedContentAuthData, membershipTag: [UInt8]?) {
        self.content = content
        self.auth = auth
        self.membershipTag = membershipTag
    }

    /// The identifier of the message's group.
    public var groupID: [UInt8] { content.groupID }
    /// The number of the message's epoch.
    public var epoch: UInt64 { content.epoch }
    /// The sender that the message claims.
    public var sender: Sender { content.sender }
    /// The kind of content.
    public var contentType: ContentType { content.content.type }

    /// Reads a PublicMessage.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        content = try reader.read()
        auth = try FramedContentAuthData(content.content.type, from: &reader)
        if case .member = content.sender {
            membershipTag = Array(try reader.readOpaque(limit: Limits.hashLength))
        } else {
            membershipTag = nil
        }
    }

    /// Writes the PublicMessage.
    public func encode(into writer: inout TLSWriter) {
        writer.write(content)
        auth.encode(into: &writer)
        if let membershipTag { writer.writeOpaque(membershipTag) }
    }

    /// Protects content. If the sender is a member, adds the membership tag (§6.2).
    static func protect(
        _ authenticated: AuthenticatedContent, membershipKey: SecretBytes, context: GroupContext, _ hash: HashAlgorithm
    ) throws(MLSError) -> PublicMessage {
        if case .application = authenticated.content.content { throw .message(.publicApplicationData) }
        var tag: [UInt8]?
        if case .member = authenticated.content.sender {
            tag = hash.hmac(key: membershipKey, authenticated.toBeMACed(context))
        }
        return PublicMessage(content: authenticated.content, auth: authenticated.auth, membershipTag: tag)
    }

    /// Checks the membership tag of a member's message (§6.2), and returns the content. Does not verify the signature.
    func unprotect(
        membershipKey: SecretBytes, context: GroupContext, _ hash: HashAlgorithm
    ) throws(MLSError) -> AuthenticatedContent {
        if case .application = content.content { throw .message(.publicApplicationData) }
        let authenticated = AuthenticatedContent(wireFormat: .publicMessage, content: content, auth: auth)
        if case .member = content.sender {
            let expected = hash.hmac(key: membershipKey, authenticated.toBeMACed(context))
            guard let membershipTag, equalMACs(expected, membershipTag) else { throw .message(.membershipTag) }
        }
        return authenticated
    }
}

/// Whether two MACs are equal. The comparison takes constant time.
func equalMACs(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.withUnsafeBytes { l in right.withUnsafeBytes { r in constantTimeEqual(l, r) } }
}
