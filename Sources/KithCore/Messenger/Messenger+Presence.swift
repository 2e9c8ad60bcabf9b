import Crypto
import KithWire
import MLS

// Live checks: who is here now, in the same group, and how they have seen the log.

extension Messenger {
    /// Asks who is there: now, or as soon as the log is here. From then on, members that come are asked too.
    func checkPresence(in conversation: Conversation) throws(KithError) {
        conversation.isWatched = true
        conversation.liveNonce = nil
        // Until somebody answers: an epoch may end before anyone hears it.
        conversation.isCheckDue = true
        if conversation.sync.isLive { try challenge(in: conversation) }
    }

    /// Asks with the nonce that is there, so that answers under way stay right, or else with a new one.
    func challenge(in conversation: Conversation) throws(KithError) {
        guard let view = conversation.record.view else { return }
        let nonce = conversation.liveNonce ?? random.bytes(32)
        if conversation.liveNonce == nil { conversation.answered = [] }
        conversation.liveNonce = nonce
        let proof = LiveProof(kind: .challenge, nonce: nonce, account: profile.account.publicKey, view: view)
        try whisper(.challenge, proof, in: conversation)
    }

    /// Asks a member back that asks: it has just come, and has not heard earlier challenges. Not in a large group, in which everybody
    /// would ask everybody.
    private func challengeBack(_ leaf: LeafIndex, in conversation: Conversation) throws(KithError) {
        let last = max(conversation.provenAt[leaf] ?? 0, conversation.askedBackAt[leaf] ?? 0)
        guard conversation.isWatched, last + ClientLimits.presenceMs < now,
            conversation.record.memberCount <= ClientLimits.membersWithReceipts
        else { return }
        conversation.askedBackAt[leaf] = now
        if conversation.answered.contains(leaf) { conversation.liveNonce = nil }
        try challenge(in: conversation)
    }

    /// Whether one more challenge is answered: a member that asks without end does not hold up other requests to the relay.
    private func mayAnswer(in conversation: Conversation) -> Bool {
        let since = conversation.answers.since
        if now < since || now >= since + ClientLimits.presenceMs { conversation.answers = (now, 0) }
        conversation.answers.count += 1
        return conversation.answers.count <= ClientLimits.liveAnswers
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
            guard challenger == group.ownLeafIndex, challenge == conversation.liveNonce,
                let contact = contacts[account],
                isGenuine(check, .answer(challenge: challenge, challenger: profile.account.publicKey), account, group)
            else { return }
            // The same answer again is a recording.
            guard conversation.answered.insert(check.leaf).inserted else { return }
            conversation.provenAt[check.leaf] = now
            conversation.isCheckDue = false
            let comparison = try compareLive(check.view, of: check.leaf, conversation)
            tell(.present(conversation.id, contact.id, name: contact.name, comparison))
        }
    }

    /// Answers a challenge, and compares its view: the relay may hold the end of the log back from this device.
    private func didHearChallenge(
        _ check: LiveCheck, by account: AccountKey, in conversation: Conversation
    ) throws(KithError) {
        let group = try group(of: conversation).group
        guard let view = conversation.record.view, mayAnswer(in: conversation),
            isGenuine(check, .challenge, account, group)
        else { return }
        let proof = LiveProof(
            kind: .answer(challenge: check.nonce, challenger: account), nonce: random.bytes(32),
            account: profile.account.publicKey, view: view)
        try whisper(.answer(to: check.leaf, challenge: check.nonce), proof, in: conversation)
        _ = try compareLive(check.view, of: check.leaf, conversation)
        try challengeBack(check.leaf, in: conversation)
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
