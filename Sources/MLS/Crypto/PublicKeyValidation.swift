import Crypto

/// Public-key validation (RFC 9420 §5.1.1, RFC 9180 §7.1.4). A tree must not contain an unusable key: a key to which nobody can
/// encapsulate. With an unusable key in one leaf, other members cannot commit, and the error does not name the leaf.
extension KEM {
    /// Checks that bytes are a public key of this KEM.
    ///
    /// - Throws: ``MLSError/crypto(_:)``.
    func validate(_ key: HPKEPublicKey) throws(MLSError) {
        guard key.compact.count == publicKeyLength else { throw .crypto(.invalidPublicKey) }
        let isValid = key.compact.withUnsafeBytes { bytes in
            switch self {
            case .x25519: !isLowOrder(bytes)
            case .xWing, .xWingUnlabeled: isReduced(bytes.prefix(1_152)) && !isLowOrder(bytes.suffix(32))
            // The last 32 bytes are a seed, for which all values are allowed.
            case .mlkem768, .mlkem1024: isReduced(bytes.dropLast(32))
            case .p256: (try? P256.KeyAgreement.PublicKey(x963Representation: bytes)) != nil
            case .p384: (try? P384.KeyAgreement.PublicKey(x963Representation: bytes)) != nil
            case .p521: (try? P521.KeyAgreement.PublicKey(x963Representation: bytes)) != nil
            }
        }
        guard isValid else { throw .crypto(.invalidPublicKey) }
    }

    /// Whether an X25519 public key is a point of low order. With a key of low order, every shared secret is zero. RFC 9180
    /// §7.1.4 refuses keys of low order. The check ignores the highest bit (RFC 7748 §5).
    private func isLowOrder(_ key: some Collection<UInt8>) -> Bool {
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in key.enumerated() { words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8) }
        words[3] &= .max >> 1
        return Self.lowOrderPoints.contains(words)
    }

    /// The u-coordinates of the points of low order, as little-endian words. A low order divides the cofactor 8. The coordinates
    /// are 0, 1, two coordinates of order 8, p − 1, p, and p + 1.
    private static let lowOrderPoints: [[UInt64]] = [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [0xaeb8_413b_7c7a_ebe0, 0x6ac4_9ff1_fae3_5616, 0xfdb1_329c_eb8d_09da, 0x00b8_495f_1605_6286],
        [0x248c_50a3_bc95_9c5f, 0x5bef_839c_55b1_d0b1, 0x868e_1c58_c45c_4404, 0x5711_9fd0_dd4e_22d8],
        [0xffff_ffff_ffff_ffec, .max, .max, .max >> 1],
        [0xffff_ffff_ffff_ffed, .max, .max, .max >> 1],
        [0xffff_ffff_ffff_ffee, .max, .max, .max >> 1],
    ]

    /// The modulus check of an ML-KEM encapsulation key (FIPS 203 §7.2). Every coefficient has 12 bits and must be less than
    /// 3,329.
    private func isReduced(_ coefficients: some Collection<UInt8>) -> Bool {
        var iterator = coefficients.makeIterator()
        while let low = iterator.next(), let middle = iterator.next(), let high = iterator.next() {
            let first = UInt16(low) | UInt16(middle & 0x0f) << 8
            let second = UInt16(middle >> 4) | UInt16(high) << 4
            if first >= 3_329 || second >= 3_329 { return false }
        }
        return true
    }
}
