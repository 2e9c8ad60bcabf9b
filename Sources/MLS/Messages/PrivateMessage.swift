import TLSCodec

/// A message that is signed and encrypted (RFC 9420 §6.3).
///
/// ```text
/// struct {
///     opaque group_id<V>;
///     uint64 epoch;
///     ContentType content_type;
///     opaque authenticated_data<V>;
///     opaque encrypted_sender_data<V>;
///     opaque ciphertext<V>;
/// } PrivateMessage;
/// ```
public struct PrivateMessage: Hashable, Sendable, TLSCodable {
    /// The identifier of the message's group.
    public let groupID: [UInt8]
    /// The number of the message's epoch.
    public let epoch: UInt64
    /// The kind of content.
    public let contentType: ContentType
    /// Data that is authenticated but not encrypted.
    public let authenticatedData: [UInt8]
    let encryptedSenderData: [UInt8]
    let ciphertext: [UInt8]

    init(
        groupID: [UInt8], epoch: UInt64, contentType: ContentType, authenticatedData: [UInt8],
        encryptedSenderData: [UInt8], ciphertext: [UInt8]
    ) {
        self.groupID = groupID
        self.epoch = epoch
        self.contentType = contentType
        self.authenticatedData = authenticatedData
        self.encryptedSenderData = encryptedSenderData
        self.ciphertext = ciphertext
    }

    /// Reads a PrivateMessage.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        groupID = Array(try reader.readOpaque())
        epoch = try reader.readUInt64()
        contentType = try reader.read()
        authenticatedData = Array(try reader.readOpaque())
        encryptedSenderData = Array(try reader.readOpaque())
        ciphertext = Array(try reader.readOpaque())
    }

    /// Writes the PrivateMessage.
    public func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.write(contentType)
        writer.writeOpaque(authenticatedData)
        writer.writeOpaque(encryptedSenderData)
        writer.writeOpaque(ciphertext)
    }

    // MARK: Protecting

    /// A sender's leaf, and the keys for one message of the sender.
    struct SendingKeys {
        let leaf: LeafIndex
        /// The key from the sender's ratchet.
        let message: MessageKey
        let senderDataSecret: SecretBytes
    }

    /// Encrypts content with a key of the sender's ratchet (§6.3.1, §6.3.2).
    static func protect(
        _ authenticated: AuthenticatedContent, with sending: SendingKeys, padding: Padding, random: RandomSource,
        _ algorithms: Algorithms
    ) throws(MLSError) -> PrivateMessage {
        let key = sending.message
        let content = authenticated.content
        var plaintext = TLSWriter(capacity: content.content.sizeHint + 256)
        content.content.encode(into: &plaintext)
        authenticated.auth.encode(into: &plaintext)
        plaintext.writeBytes(repeatElement(0, count: padding.length(forContent: plaintext.bytes.count)))
        let reuseGuard = random.bytes(4)
        let ciphertext = try algorithms.aead.seal(
            plaintext.bytes, key: key.key, nonce: key.nonce(reuseGuard: reuseGuard),
            aad: contentAAD(content.groupID, content.epoch, content.content.type, content.authenticatedData))
        var senderData = TLSWriter(capacity: 12)
        senderData.write(sending.leaf)
        senderData.write(key.generation)
        senderData.writeBytes(reuseGuard)
        let keys = senderDataKeys(sending.senderDataSecret, ciphertext, algorithms)
        return PrivateMessage(
            groupID: content.groupID, epoch: content.epoch, contentType: content.content.type,
            authenticatedData: content.authenticatedData,
            encryptedSenderData: try algorithms.aead.seal(
                senderData.bytes, key: keys.key, nonce: keys.nonce,
                aad: senderDataAAD(content.groupID, content.epoch, content.content.type)),
            ciphertext: ciphertext)
    }

    // MARK: Unprotecting

    /// `struct { uint32 leaf_index; uint32 generation; opaque reuse_guard[4]; } SenderData;` (§6.3.2)
    struct SenderData {
        let leafIndex: LeafIndex
        let generation: UInt32
        let reuseGuard: [UInt8]
    }

    /// Decrypts the sender's leaf index and the generation of the message's key (§6.3.2).
    func senderData(_ senderDataSecret: SecretBytes, _ algorithms: Algorithms) throws(MLSError) -> SenderData {
        let keys = Self.senderDataKeys(senderDataSecret, ciphertext, algorithms)
        let opened: [UInt8]
        do {
            opened = try algorithms.aead.open(
                encryptedSenderData[...], key: keys.key, nonce: keys.nonce,
                aad: Self.senderDataAAD(groupID, epoch, contentType))
        } catch {
            throw .message(.decryption)
        }
        return try decoding { () throws(TLSCodecError) in
            var reader = TLSReader(opened)
            let data = SenderData(
                leafIndex: try reader.read(), generation: try reader.readUInt32(),
                reuseGuard: Array(try reader.readBytes(4)))
            try reader.expectEnd()
            return data
        }
    }

    /// Decrypts the content with `key` (§6.3.1). Does not verify the signature.
    func unprotect(
        _ senderData: SenderData, _ key: MessageKey, _ algorithms: Algorithms
    ) throws(MLSError) -> AuthenticatedContent {
        let opened: [UInt8]
        do {
            opened = try algorithms.aead.open(
                ciphertext[...], key: key.key, nonce: key.nonce(reuseGuard: senderData.reuseGuard),
                aad: Self.contentAAD(groupID, epoch, contentType, authenticatedData))
        } catch {
            throw .message(.decryption)
        }
        let (content, auth, padding) = try decoding { () throws(TLSCodecError) in
            var reader = TLSReader(opened)
            let content = try FramedContent.Content(contentType, from: &reader)
            let auth = try FramedContentAuthData(contentType, from: &reader)
            return (content, auth, try reader.readBytes(reader.remaining))
        }
        guard padding.allSatisfy({ $0 == 0 }) else { throw .message(.padding) }
        let framed = FramedContent(
            groupID: groupID, epoch: epoch, sender: .member(senderData.leafIndex),
            authenticatedData: authenticatedData, content: content)
        return AuthenticatedContent(wireFormat: .privateMessage, content: framed, auth: auth)
    }

    // MARK: Keys and associated data

    /// Returns `sender_data_key` and `sender_data_nonce` (§6.3.2). The key and nonce depend on a sample of the ciphertext.
    static func senderDataKeys(
        _ secret: SecretBytes, _ ciphertext: [UInt8], _ algorithms: Algorithms
    ) -> (key: SecretBytes, nonce: SecretBytes) {
        let hash = algorithms.hash
        return ciphertext.withUnsafeBytes { ciphertext in
            let sample = UnsafeRawBufferPointer(rebasing: ciphertext.prefix(hash.length))
            return (
                hash.expandWithLabel(secret, "key", sample, algorithms.aead.keyLength),
                hash.expandWithLabel(secret, "nonce", sample, algorithms.aead.nonceLength)
            )
        }
    }

    /// `PrivateContentAAD` (§6.3.1).
    private static func contentAAD(
        _ groupID: [UInt8], _ epoch: UInt64, _ type: ContentType, _ authenticatedData: [UInt8]
    ) -> [UInt8] {
        var writer = TLSWriter(capacity: groupID.count + authenticatedData.count + 16)
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.write(type)
        writer.writeOpaque(authenticatedData)
        return writer.bytes
    }

    /// `SenderDataAAD` (§6.3.2).
    private static func senderDataAAD(_ groupID: [UInt8], _ epoch: UInt64, _ type: ContentType) -> [UInt8] {
        var writer = TLSWriter(capacity: groupID.count + 16)
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.write(type)
        return writer.bytes
    }
}

/// The rule for the number of zero bytes after the content of an encrypted message (RFC 9420 §6.3.1, §15.1).
public enum Padding: Hashable, Sendable {
    /// No padding, so the length of the message is visible.
    case none
    /// Padding to the next multiple of a number of bytes. A number below 1 counts as 1.
    case multiple(of: Int)

    func length(forContent count: Int) -> Int {
        switch self {
        case .none: 0
        case .multiple(let step): (max(step, 1) - count % max(step, 1)) % max(step, 1)
        }
    }
}
