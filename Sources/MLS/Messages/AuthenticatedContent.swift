import TLSCodec

/// `struct { WireFormat wire_format; FramedContent content; FramedContentAuthData auth; } AuthenticatedContent;`
/// (RFC 9420 §6)
///
/// The signature has not been verified. See ``VerifiedContent``.
struct AuthenticatedContent: Hashable, Sendable {
    let wireFormat: WireFormat
    let content: FramedContent
    var auth: FramedContentAuthData

    /// Signs content (§6.1). The confirmation tag of a commit depends on the signature, and is set later.
    init(
        signing content: FramedContent, wireFormat: WireFormat, context: GroupContext?, key: SignaturePrivateKey
    ) throws(MLSError) {
        self.wireFormat = wireFormat
        self.content = content
        let signed = Self.toBeSigned(content, wireFormat, context)
        auth = FramedContentAuthData(
            signature: try key.signWithLabel("FramedContentTBS", signed), confirmationTag: nil)
    }

    init(wireFormat: WireFormat, content: FramedContent, auth: FramedContentAuthData) {
        self.wireFormat = wireFormat
        self.content = content
        self.auth = auth
    }

    /// `FramedContentTBS` (§6.1). If the sender is a member, or a client that joins with an external commit, the group context is
    /// included.
    static func toBeSigned(_ content: FramedContent, _ wireFormat: WireFormat, _ context: GroupContext?) -> [UInt8] {
        var writer = TLSWriter(capacity: content.content.sizeHint + content.authenticatedData.count + 512)
        writer.write(ProtocolVersion.mls10)
        writer.write(wireFormat)
        writer.write(content)
        switch content.sender {
        case .member, .newMemberCommit: if let context { writer.write(context) }
        case .external, .newMemberProposal: break
        }
        return writer.bytes
    }

    /// Verifies the signature (§6.1).
    func verify(_ key: SignaturePublicKey, context: GroupContext, _ scheme: SignatureScheme) throws(MLSError)
        -> VerifiedContent
    {
        let signed = Self.toBeSigned(content, wireFormat, context)
        guard scheme.verifyWithLabel(auth.signature, "FramedContentTBS", signed, key) else {
            throw .message(.signature)
        }
        return VerifiedContent(content: self)
    }

    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        writer.write(wireFormat)
        writer.write(content)
        auth.encode(into: &writer)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(TLSCodecError) {
        var reader = TLSReader(bytes)
        wireFormat = try reader.read()
        content = try reader.read()
        auth = try FramedContentAuthData(content.content.type, from: &reader)
        try reader.expectEnd()
    }

    /// `ConfirmedTranscriptHashInput` (§8.2): everything but the confirmation tag.
    var confirmedTranscriptHashInput: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        writer.write(wireFormat)
        writer.write(content)
        writer.writeOpaque(auth.signature)
        return writer.bytes
    }

    /// `AuthenticatedContentTBM` (§6.2): the bytes that a membership tag authenticates.
    func toBeMACed(_ context: GroupContext) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeBytes(Self.toBeSigned(content, wireFormat, context))
        auth.encode(into: &writer)
        return writer.bytes
    }
}

/// Content whose signature was verified.
struct VerifiedContent: Hashable, Sendable {
    private let authenticated: AuthenticatedContent

    /// Only ``AuthenticatedContent/verify(_:context:_:)`` and ``own(_:)`` create verified content.
    fileprivate init(content: AuthenticatedContent) { authenticated = content }

    /// Returns content that this member has just signed.
    static func own(_ content: AuthenticatedContent) -> VerifiedContent { VerifiedContent(content: content) }

    var wireFormat: WireFormat { authenticated.wireFormat }
    var framed: FramedContent { authenticated.content }
    var sender: Sender { authenticated.content.sender }
    var confirmationTag: [UInt8]? { authenticated.auth.confirmationTag }
    var confirmedTranscriptHashInput: [UInt8] { authenticated.confirmedTranscriptHashInput }

    /// `MakeProposalRef` (§5.2).
    func proposalRef(_ hash: HashAlgorithm) -> [UInt8] { hash.proposalRef(authenticated.encoded) }
}
