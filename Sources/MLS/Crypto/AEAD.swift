import Crypto

/// The AEAD of a cipher suite (RFC 9420 §5.1). Sealed bytes are the ciphertext followed by the tag.
enum AEAD: Hashable, Sendable {
    case aes128GCM, aes256GCM, chaCha20Poly1305

    /// `AEAD.Nk`.
    var keyLength: Int { self == .aes128GCM ? 16 : 32 }
    /// `AEAD.Nn`.
    var nonceLength: Int { 12 }
    /// `AEAD.Nt`.
    var tagLength: Int { 16 }

    /// The number of the AEAD in HPKE (RFC 9180 §7.3).
    var hpkeID: UInt16 {
        switch self {
        case .aes128GCM: 1
        case .aes256GCM: 2
        case .chaCha20Poly1305: 3
        }
    }

    /// `AEAD.Seal`.
    func seal(_ plaintext: [UInt8], key: SecretBytes, nonce: SecretBytes, aad: [UInt8]) throws(MLSError) -> [UInt8] {
        let symmetric = key.withUnsafeBytes { SymmetricKey(data: $0) }
        do {
            var sealed: [UInt8] = []
            sealed.reserveCapacity(plaintext.count + tagLength)
            switch self {
            case .aes128GCM, .aes256GCM:
                let nonce = try nonce.withUnsafeBytes { try AES.GCM.Nonce(data: $0) }
                let box = try AES.GCM.seal(plaintext, using: symmetric, nonce: nonce, authenticating: aad)
                sealed.append(contentsOf: box.ciphertext)
                sealed.append(contentsOf: box.tag)
            case .chaCha20Poly1305:
                let nonce = try nonce.withUnsafeBytes { try ChaChaPoly.Nonce(data: $0) }
                let box = try ChaChaPoly.seal(plaintext, using: symmetric, nonce: nonce, authenticating: aad)
                sealed.append(contentsOf: box.ciphertext)
                sealed.append(contentsOf: box.tag)
            }
            return sealed
        } catch {
            throw .crypto(.seal)
        }
    }

    /// `AEAD.Open`.
    func open(
        _ sealed: ArraySlice<UInt8>, key: SecretBytes, nonce: SecretBytes, aad: [UInt8]
    ) throws(MLSError) -> [UInt8] {
        guard sealed.count >= tagLength else { throw .crypto(.open) }
        let symmetric = key.withUnsafeBytes { SymmetricKey(data: $0) }
        do {
            switch self {
            case .aes128GCM, .aes256GCM:
                let nonce = try nonce.withUnsafeBytes { try AES.GCM.Nonce(data: $0) }
                let box = try AES.GCM.SealedBox(
                    nonce: nonce, ciphertext: sealed.dropLast(tagLength), tag: sealed.suffix(tagLength))
                return Array(try AES.GCM.open(box, using: symmetric, authenticating: aad))
            case .chaCha20Poly1305:
                let nonce = try nonce.withUnsafeBytes { try ChaChaPoly.Nonce(data: $0) }
                let box = try ChaChaPoly.SealedBox(
                    nonce: nonce, ciphertext: sealed.dropLast(tagLength), tag: sealed.suffix(tagLength))
                return Array(try ChaChaPoly.open(box, using: symmetric, authenticating: aad))
            }
        } catch {
            throw .crypto(.open)
        }
    }
}
