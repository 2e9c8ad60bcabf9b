import TLSCodec

/// A description of a group's epoch, for clients that join the group (RFC 9420 §12.4.3). A decoded GroupInfo is unverified.
/// Joining a group verifies the GroupInfo.
///
/// ```text
/// struct {
///     GroupContext group_context;
///     Extension extensions<V>;
///     MAC confirmation_tag;
///     uint32 signer;
///     /* SignWithLabel(., "GroupInfoTBS", GroupInfoTBS) */
///     opaque signature<V>;
/// } GroupInfo;
/// ```
public struct GroupInfo: Hashable, Sendable, TLSCodable {
    /// The group context of the epoch.
    public let groupContext: GroupContext
    /// Additional data for joiners, such as the tree and the external public key.
    public let extensions: [Extension]
    /// The MAC that proves knowledge of the epoch's secrets (§8.1).
    public let confirmationTag: [UInt8]
    /// The leaf of the member that has created the GroupInfo.
    public let signer: LeafIndex
    /// The signer's signature.
    public let signature: [UInt8]

    init(
        groupContext: GroupContext, extensions: [Extension], confirmationTag: [UInt8], signer: LeafIndex,
        key: SignaturePrivateKey
    ) throws(MLSError) {
        guard extensions.count <= Limits.extensions else { throw .usage(.tooLarge) }
        self.groupContext = groupContext
        self.extensions = extensions
        self.confirmationTag = confirmationTag
        self.signer = signer
        let unsigned = GroupInfo(groupContext, extensions, confirmationTag, signer, signature: [])
        signature = try key.signWithLabel("GroupInfoTBS", unsigned.toBeSigned)
    }

    init(
        _ groupContext: GroupContext, _ extensions: [Extension], _ confirmationTag: [UInt8], _ signer: LeafIndex,
        signature: [UInt8]
    ) {
        self.groupContext = groupContext
        self.extensions = extensions
        self.confirmationTag = confirmationTag
        self.signer = signer
        self.signature = signature
    }

    /// Reads a GroupInfo.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        groupContext = try reader.read()
        extensions = try reader.readExtensions()
        confirmationTag = Array(try reader.readOpaque(limit: Limits.hashLength))
        signer = try reader.read()
        signature = Array(try reader.readOpaque(limit: Limits.signatureLength))
    }

    /// Writes the GroupInfo.
    public func encode(into writer: inout TLSWriter) {
        encodeUnsigned(into: &writer)
        writer.writeOpaque(signature)
    }

    private func encodeUnsigned(into writer: inout TLSWriter) {
        writer.write(groupContext)
        writer.writeVector(extensions)
        writer.writeOpaque(confirmationTag)
        writer.write(signer)
    }

    private var toBeSigned: [UInt8] {
        var writer = TLSWriter(capacity: 1_024)
        encodeUnsigned(into: &writer)
        return writer.bytes
    }

    /// Whether the signature is valid for a key.
    func isSignatureValid(_ key: SignaturePublicKey, _ scheme: SignatureScheme) -> Bool {
        scheme.verifyWithLabel(signature, "GroupInfoTBS", toBeSigned, key)
    }
}
