/// Sends and receives messages and the goodbye in an open session.
extension ClassicSession {
    /// Encrypts and authenticates one text for the other user.
    ///
    /// - Throws: ``ClassicSendError`` if the text cannot be sent. After an error, the session continues unchanged.
    public mutating func send(_ text: String) throws(ClassicSendError) -> [Output] {
        switch state {
        case .idle, .waiting, .proving, .wrapping: throw .notEstablished
        case .ended: throw .ended
        case .open(var open):
            guard !text.utf8.contains(0) else { throw .notText }
            guard text.utf8.count <= ClassicLimits.textBytes else { throw .tooLong(limit: ClassicLimits.textBytes) }
            // The last number is reserved for the goodbye.
            guard open.nextToSend < ClassicLimits.highestNumber else { throw .wornOut }
            let number = open.nextToSend
            let plaintext = Array(text.utf8)
            guard let sealed = seal(plaintext, as: .message, &open) else { throw .internalFailure }
            state = .open(open)
            return [sealed, explain(.sealedMessage(number: number, bytes: plaintext.count))]
        }
    }

    /// Leaves the session. If the session is open, sends an authenticated goodbye to the other user. Before the session is
    /// open, no key exists for an authenticated goodbye, so the other side sees a cut connection.
    public mutating func bye() -> [Output] {
        guard case .open(var open) = state, let sealed = seal([], as: .bye, &open) else { return end(.left) }
        return [sealed, explain(.saidBye)] + end(.left)
    }

    /// Seals a content with the next number. Then increments the number.
    private mutating func seal(
        _ plaintext: [UInt8], as kind: SealedMessage.Kind, _ open: inout SessionState.Open
    ) -> Output? {
        let context = DirectionKeys.Context(
            sessionID: open.sessionID, sender: mySide, kind: kind, number: open.nextToSend)
        let iv = randomBytes(SealedMessage.ivBytes, from: &random)
        guard let sealed = try? open.sendKeys.seal(plaintext, context, iv: iv) else { return nil }
        open.nextToSend += 1
        return frame(.sealed(sealed), to: open.peerRun)
    }

    /// Handles a sealed message: checks the MAC, then the number, and then decrypts. A wrong MAC and an invalid content have the
    /// same effect, so a forger cannot learn which check has failed.
    mutating func receive(_ sealed: SealedMessage, _ opened: SessionState.Open) -> [Output] {
        var open = opened
        let context = DirectionKeys.Context(
            sessionID: open.sessionID, sender: mySide.other, kind: sealed.kind, number: sealed.number)
        let authentic = open.receiveKeys.authenticate(sealed, context)
        if authentic != nil, sealed.number < open.inbound.next { return drop(.repeated(number: sealed.number)) }
        guard let authentic, open.inbound.isNew(sealed.number), let content = content(of: authentic, sealed.kind) else {
            let number = open.inbound.noteAltered(claiming: sealed.number)
            state = .open(open)
            return drop(.altered(number: number))
        }

        let missing = open.inbound.pass(sealed.number).map { Output.event(.missing($0)) }
        switch content {
        case .text(let text):
            state = .open(open)
            return missing + [
                explain(.messageVerified(number: sealed.number)), .event(.message(number: sealed.number, text: text)),
            ]
        case .bye:
            return missing + [explain(.byeVerified)] + end(.goodbye)
        }
    }

    private enum Content {
        case text(String)
        case bye
    }

    /// The content of an authentic message; `nil` if the content is invalid. Correct programs never seal invalid content.
    private func content(of authentic: AuthenticMessage, _ kind: SealedMessage.Kind) -> Content? {
        guard let plaintext = authentic.decrypted() else { return nil }
        switch kind {
        case .bye:
            return plaintext.isEmpty ? .bye : nil
        case .message:
            guard plaintext.count <= ClassicLimits.textBytes else { return nil }
            return String(validating: plaintext, as: UTF8.self).map(Content.text)
        }
    }
}
