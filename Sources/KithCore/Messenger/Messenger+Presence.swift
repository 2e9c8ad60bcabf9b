import Crypto
import KithWire
import MLS

// Live checks: who is here now, in the same group, and how they have seen the log.

extension Messenger {
    /// Asks who is there: now, or as soon as the log is here. From then on, members that come are asked too.
    func checkPresence(in conversation: Conversation) throws(KithError) {
        conversation.presence.watch()
        if conversation.sync.isLive { try challenge(in: conversation) }
    }

    /// Asks who is there.
    func challenge(in conversation: Conversation) throws(KithError) {
        guard let view = conversation.record.view else { return }
        let nonce = conversation.presence.challenge(random)
        let proof = LiveProof(kind: .challenge, nonce: nonce, account: profile.account.publicKey, view: view)
        try whisper(.challenge, proof, in: conversation)
    }

    /// Takes a whisper. One that is not genuine is ignored.
    func didHear(_ payload: ArraySlice<UInt8>, in conversation: Conversation) throws(KithError) {
        let group = try group(of: conversation).group
        guard let check = try open(payload, conversation, group), check.leaf != group.ownLeafIndex,
            let account = account(check.leaf, group)
        else { return }
        switch check.kind {
        case .challenge: try didHearChallenge(check, by: account, in: conversation)
        case .answer(let challenger, let challenge):
            guard challenger == group.ownLeafIndex, conversation.presence.isAwaited(challenge),
                let contact = contacts[account],
                isGenuine(check, .answer(challenge: challenge, challenger: profile.account.publicKey), account, group)
            else { return }
            guard conversation.presence.didProve(check.leaf, at: now) else { return }
            let comparison = try compareLive(check.view, of: check.leaf, conversation)
            tell(.present(conversation.id, contact.id, name: contact.name, comparison))
        }
    }

    /// Answers a challenge, and compares its view: the relay may hold the end of the log back from this device.
    private func didHearChallenge(
        _ check: LiveCheck, by account: AccountKey, in conversation: Conversation
    ) throws(KithError) {
        let group = try group(of: conversation).group
        guard let view = conversation.record.view, conversation.presence.mayAnswer(at: now),
            isGenuine(check, .challenge, account, group)
        else { return }
        let proof = LiveProof(
            kind: .answer(challenge: check.nonce, challenger: account), nonce: random.bytes(32),
            account: profile.account.publicKey, view: view)
        try whisper(.answer(to: check.leaf, challenge: check.nonce), proof, in: conversation)
        _ = try compareLive(check.view, of: check.leaf, conversation)
        if conversation.presence.asksBack(check.leaf, memberCount: conversation.record.memberCount, at: now) {
            try challenge(in: conversation)
        }
    }

    private func isGenuine(_ check: LiveCheck, _ kind: LiveProof.Kind, _ account: AccountKey, _ group: Group) -> Bool {
        let proof = LiveProof(kind: kind, nonce: check.nonce, account: account, view: check.view)
        return group.tree[check.leaf]?.signatureKey.verifies(
            check.signature, label: LiveCheck.label, proof.encoded(in: group), suite: group.cipherSuite) == true
    }

    private func account(_ leaf: LeafIndex, _ group: Group) -> AccountKey? {
        group.tree[leaf]?.credential.deviceCertificate?.accountKey
    }

    // MARK: Sealing

    private func whisper(_ kind: LiveCheck.Kind, _ proof: LiveProof, in conversation: Conversation) throws(KithError) {
        let group = try group(of: conversation).group
        let signature = try callingMLS { () throws(MLSError) in
            try profile.signer.sign(label: LiveCheck.label, proof.encoded(in: group))
        }
        let check = LiveCheck(
            kind, from: group.ownLeafIndex, nonce: proof.nonce, view: proof.view, signature: signature)
        let salt = random.bytes(16)
        let key = try whisperKey(salt, group)
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
