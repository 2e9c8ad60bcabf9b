import Crypto
import KithWire
import MLS
import TLSCodec

/// What is whispered: a nonce, and the proof of who heard it.
///
/// ```text
/// whisper = salt[16] || nonce[12] || ChaCha20-Poly1305(MLS-Exporter("kith whisper", salt, 32), nonce, aad = channel, LiveCheck)
/// struct {
///     uint8 type;                          challenge(1), answer(2)
///     uint32 leaf;                         of the sender
///     opaque nonce[32];                    the sender's
///     select (type) { case answer:
///         uint32 challenger; opaque challenge[32];
///         LogView view;                    how the sender has seen the log
///         opaque signature<V>;             SignWithLabel(device key, "Kith live v2", LiveProof)
///     };
/// } LiveCheck;
/// struct {
///     opaque challenge[32]; opaque nonce[32]; opaque challenger_account[32]; opaque account[32];
///     opaque group_id<V>; uint64 epoch; opaque epoch_authenticator<V>; LogView view;
/// } LiveProof;
/// ```
///
/// The key comes from an exporter and not from a ratchet: a whisper that nobody hears leaves no gap among the messages.
enum LiveCheck: Hashable, Sendable, TLSCodable {
    case challenge(leaf: LeafIndex, nonce: [UInt8])
    case answer(
        leaf: LeafIndex, nonce: [UInt8], challenger: LeafIndex, challenge: [UInt8], view: LogView, signature: [UInt8])

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        let type = try reader.readUInt8()
        let leaf: LeafIndex = try reader.read()
        let nonce = Array(try reader.readBytes(32))
        switch type {
        case 1: self = .challenge(leaf: leaf, nonce: nonce)
        case 2:
            self = .answer(
                leaf: leaf, nonce: nonce, challenger: try reader.read(), challenge: Array(try reader.readBytes(32)),
                view: try reader.read(), signature: Array(try reader.readOpaque(limit: 8 << 10)))
        default: throw .unknownValue(field: "LiveCheck.type", value: UInt64(type))
        }
    }

    func encode(into writer: inout TLSWriter) {
        switch self {
        case .challenge(let leaf, let nonce):
            writer.write(UInt8(1))
            writer.write(leaf)
            writer.writeBytes(nonce)
        case .answer(let leaf, let nonce, let challenger, let challenge, let view, let signature):
            writer.write(UInt8(2))
            writer.write(leaf)
            writer.writeBytes(nonce)
            writer.write(challenger)
            writer.writeBytes(challenge)
            writer.write(view)
            writer.writeOpaque(signature)
        }
    }

    static let label: StaticString = "Kith live v2"
}

/// The structure that the answer to a challenge signs.
private struct LiveProof {
    let challenge: [UInt8]
    let nonce: [UInt8]
    let challenger: AccountKey
    let account: AccountKey
    let view: LogView

    func encoded(in group: Group) -> [UInt8] {
        var writer = TLSWriter(capacity: 384)
        writer.writeBytes(challenge)
        writer.writeBytes(nonce)
        writer.write(challenger)
        writer.write(account)
        writer.writeOpaque(group.groupID)
        writer.write(group.epoch)
        group.epochAuthenticator.withUnsafeBytes { writer.writeOpaque($0) }
        writer.write(view)
        return writer.bytes
    }
}

extension Messenger {
    /// Asks who is there: now, or as soon as the log is here. From then on, who comes is asked too.
    func checkPresence(in conversation: Conversation) throws(KithError) {
        conversation.isWatched = true
        conversation.liveNonce = nil
        // Until somebody answers: an epoch may end before anyone hears it.
        conversation.isCheckDue = true
        if conversation.line == .live { try challenge(in: conversation) }
    }

    /// Asks with the nonce that is there, so that answers under way stay right, or else with a new one.
    func challenge(in conversation: Conversation) throws(KithError) {
        let nonce = conversation.liveNonce ?? random.bytes(32)
        if conversation.liveNonce == nil { conversation.answered = [] }
        conversation.liveNonce = nonce
        let leaf = try group(of: conversation).group.ownLeafIndex
        try whisper(.challenge(leaf: leaf, nonce: nonce), in: conversation)
    }

    /// Somebody who asks has just come, and has not heard what was asked before. In a large group, everybody would ask
    /// everybody.
    private func challengeBack(_ leaf: LeafIndex, in conversation: Conversation) throws(KithError) {
        let last = max(conversation.provenAt[leaf] ?? 0, conversation.askedBackAt[leaf] ?? 0)
        guard conversation.isWatched, last + ClientLimits.presenceMs < now,
            conversation.record.memberCount <= ClientLimits.membersWithReceipts
        else { return }
        conversation.askedBackAt[leaf] = now
        if conversation.answered.contains(leaf) { conversation.liveNonce = nil }
        try challenge(in: conversation)
    }

    /// Whoever asks without end, under whatever number, does not hold up what else goes to the relay.
    private func mayAnswer(in conversation: Conversation) -> Bool {
        let since = conversation.answers.since
        if now < since || now >= since + ClientLimits.presenceMs { conversation.answers = (now, 0) }
        conversation.answers.count += 1
        return conversation.answers.count <= ClientLimits.liveAnswers
    }

    /// Takes a whisper. One that is not genuine is worth nothing, and not a word.
    func didHear(_ payload: ArraySlice<UInt8>, in conversation: Conversation) throws(KithError) {
        let group = try group(of: conversation).group
        guard let check = try open(payload, conversation, group) else { return }
        switch check {
        case .challenge(let leaf, let nonce):
            guard leaf != group.ownLeafIndex, let account = account(leaf, group), let view = conversation.record.view,
                mayAnswer(in: conversation)
            else { return }
            let own = random.bytes(32)
            let proof = LiveProof(
                challenge: nonce, nonce: own, challenger: account, account: profile.account.publicKey, view: view
            ).encoded(in: group)
            let signature = try callingMLS { () throws(MLSError) in
                try profile.signer.sign(label: LiveCheck.label, proof)
            }
            try whisper(
                .answer(
                    leaf: group.ownLeafIndex, nonce: own, challenger: leaf, challenge: nonce, view: view,
                    signature: signature),
                in: conversation)
            try challengeBack(leaf, in: conversation)
        case .answer(let leaf, let nonce, let challenger, let challenge, let view, let signature):
            guard challenger == group.ownLeafIndex, challenge == conversation.liveNonce, leaf != challenger,
                let key = group.tree[leaf]?.signatureKey, let account = account(leaf, group),
                let id = contactsByKey[account], let contact = contacts[id]
            else { return }
            let proof = LiveProof(
                challenge: challenge, nonce: nonce, challenger: profile.account.publicKey, account: account, view: view
            ).encoded(in: group)
            guard key.verifies(signature, label: LiveCheck.label, proof, suite: group.cipherSuite) else { return }
            // The same answer again is a recording.
            guard conversation.answered.insert(leaf).inserted else { return }
            conversation.provenAt[leaf] = now
            conversation.isCheckDue = false
            let comparison = try compareLive(view, of: leaf, conversation)
            tell(.present(conversation.id, id, name: contact.name, comparison))
        }
    }

    private func account(_ leaf: LeafIndex, _ group: Group) -> AccountKey? {
        group.tree[leaf]?.credential.deviceCertificate?.accountKey
    }

    // MARK: Sealing

    private func whisper(_ check: LiveCheck, in conversation: Conversation) throws(KithError) {
        let salt = random.bytes(16)
        let key = try whisperKey(salt, try group(of: conversation).group)
        guard let nonce = try? ChaChaPoly.Nonce(data: random.bytes(12)),
            let box = try? ChaChaPoly.seal(
                check.encoded, using: key, nonce: nonce, authenticating: conversation.record.channel.bytes)
        else { return }
        request(
            conversation.record.relay,
            .whisper(
                channel: conversation.record.channel, epoch: conversation.record.epoch,
                payload: (salt + Array(box.combined))[...]),
            for: .whisper)
    }

    private func open(
        _ payload: ArraySlice<UInt8>, _ conversation: Conversation, _ group: Group
    ) throws(KithError) -> LiveCheck? {
        guard payload.count > 16 + 12 + 16 else { return nil }
        let key = try whisperKey(Array(payload.prefix(16)), group)
        guard let box = try? ChaChaPoly.SealedBox(combined: Array(payload.dropFirst(16))),
            let opened = try? ChaChaPoly.open(box, using: key, authenticating: conversation.record.channel.bytes)
        else { return nil }
        return try? LiveCheck(decoding: Array(opened))
    }

    private func whisperKey(_ salt: [UInt8], _ group: Group) throws(KithError) -> SymmetricKey {
        let secret = try callingMLS { () throws(MLSError) in
            try group.export(label: "kith whisper", context: salt, length: 32)
        }
        return secret.withUnsafeBytes { SymmetricKey(data: $0) }
    }
}
