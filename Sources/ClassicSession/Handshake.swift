import KithSupport

/// The steps from a hello to an open session. Each step first computes all values, and changes the state last.
extension ClassicSession {
    /// Handles the announcement of a run. Nothing authenticates an announcement, so the session does no more than answer it or
    /// report it, once for each run.
    mutating func receiveHello(from peerRun: RunID) -> [Output] {
        // Before this run has sent its hello, no other run can know of it. If the other user was there first, that user will
        // answer this run's hello.
        if case .idle = state { return drop(.otherRun) }
        guard !rememberedRuns.contains(peerRun) else { return drop(.otherRun) }
        guard rememberedRuns.count < ClassicLimits.rememberedRuns else { return drop(.tooManyRuns) }
        rememberedRuns.insert(peerRun)
        guard case .waiting = state else { return [.event(.peerStartedAgain)] }
        return [
            explain(.heardHello(run: prefix(peerRun.bytes))),
            frame(.publicKey(offer), to: peerRun),
            explain(.sentPublicKey),
        ]
    }

    /// Handles a public key that was sent to this run. The sender is online now, or at least has seen this run's hello.
    mutating func receive(_ theirs: PublicKeyOffer, from peerRun: RunID) -> [Output] {
        guard ClassicID(wire: theirs.id[...]) == peer else { return drop(.wrongID) }
        let key: ClassicPublicKey
        do throws(KeyRefusal) {
            key = try ClassicPublicKey(subjectPublicKeyInfo: theirs.subjectPublicKeyInfo[...])
        } catch {
            return drop(.unacceptableKey(error))
        }
        guard key.encoding != offer.subjectPublicKeyInfo else { return drop(.reflected) }
        if let expected, expected != key.fingerprint {
            return [.event(.refusedKey(presented: key.fingerprint, expected: expected))]
        }

        let transcript = Transcript(
            mine: .init(run: run, offer: offer), theirs: .init(run: peerRun, offer: theirs), mySide: mySide)
        guard let signature = try? identity.sign(transcript.proofContent(signer: mySide)) else {
            return end(.internalFailure)
        }
        var outputs = [
            explain(.receivedPublicKey(bits: key.bits, fingerprint: key.fingerprint)),
            explain(.keyAcceptable),
            .event(.peerKey(key.fingerprint)),
            explain(expected == nil ? .keyUnknown : .keyExpected),
        ]
        if rememberedRuns.insert(peerRun).inserted {
            outputs += [frame(.publicKey(offer), to: peerRun), explain(.sentPublicKey)]
        }
        outputs += [frame(.proof(signature: signature), to: peerRun), explain(.sentProof)]
        state = .proving(
            .init(peer: UnprovenPeer(run: peerRun, key: key, transcript: transcript, side: mySide.other)))
        return outputs
    }

    /// Handles the other side's signature of the values that both sides have seen. This side creates secrets for the other side
    /// only after this check.
    mutating func receiveProof(_ signature: [UInt8], _ proving: SessionState.Proving) -> [Output] {
        guard let proven = proving.peer.proven(by: signature) else { return drop(.badProof) }
        let material = SecretBytes(count: DirectionKeys.byteCount, from: &random)
        guard let receiveKeys = DirectionKeys(material),
            let wrapped = try? proven.key.wrap(material),
            let mine = try? identity.sign(proven.transcript.wrappedKeyContent(signer: mySide, wrapped: wrapped))
        else { return end(.internalFailure) }
        state = .wrapping(.init(peer: proven, receiveKeys: receiveKeys, wrappedByMe: wrapped))
        return [
            explain(.proofVerified),
            explain(.messageKeys),
            frame(.wrappedKey(WrappedKey(wrapped: wrapped, signature: mine)), to: proven.run),
            explain(.sentWrappedKey),
        ]
    }

    /// Handles the other side's message keys. After this step, the session is open.
    mutating func receive(_ theirs: WrappedKey, _ wrapping: SessionState.Wrapping) -> [Output] {
        let peer = wrapping.peer
        guard let sendKeys = peer.openKeys(theirs, with: identity), sendKeys != wrapping.receiveKeys else {
            return drop(.badWrappedKey)
        }
        let sessionID = peer.transcript.sessionID(
            wrappedByFirst: mySide == .first ? wrapping.wrappedByMe : theirs.wrapped,
            wrappedBySecond: mySide == .first ? theirs.wrapped : wrapping.wrappedByMe)
        state = .open(
            .init(peerRun: peer.run, sessionID: sessionID, sendKeys: sendKeys, receiveKeys: wrapping.receiveKeys))
        let established = Established(
            peerKey: peer.key.fingerprint, ownKey: identity.fingerprint, wasExpected: expected != nil,
            sessionID: sessionID)
        return [explain(.wrappedKeyOpened), explain(.sessionReady(sessionID)), .event(.established(established))]
    }
}
