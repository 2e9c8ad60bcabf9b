import TLSCodec

/// A pre-shared key with its identifier, for the key schedule (RFC 9420 §8.4).
struct ResolvedPSK: Sendable {
    let id: PreSharedKeyID
    let secret: SecretBytes
}

extension HashAlgorithm {
    /// Returns the `psk_secret` of a list of keys (§8.4). For an empty list, the secret is all zero.
    func pskSecret(_ keys: [ResolvedPSK]) throws(MLSError) -> SecretBytes {
        guard let count = UInt16(exactly: keys.count) else { throw .preSharedKey(.tooMany) }
        let zero = SecretBytes.zero(count: length)
        var secret = zero
        for (index, key) in keys.enumerated() {
            // struct { PreSharedKeyID id; uint16 index; uint16 count; } PSKLabel;
            var label = TLSWriter()
            label.write(key.id)
            label.write(UInt16(index))
            label.write(count)
            let extracted = extract(salt: zero, key.secret)
            let input = expandWithLabel(extracted, "derived psk", label.bytes, length)
            secret = extract(salt: input, secret)
        }
        return secret
    }
}
