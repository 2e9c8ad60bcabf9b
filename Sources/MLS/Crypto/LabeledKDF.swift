import TLSCodec

/// The labelled functions of RFC 9420 §5.2 and §8, with a suite's KDF.
extension HashAlgorithm {
    /// `RefHash(label, value) = Hash(RefHashInput)` (§5.2).
    func refHash(_ label: StaticString, _ value: [UInt8]) -> [UInt8] {
        var writer = TLSWriter(capacity: value.count + label.utf8CodeUnitCount + 8)
        writer.writeOpaque(label.utf8Bytes)
        writer.writeOpaque(value)
        return hash(writer.bytes)
    }

    /// `MakeKeyPackageRef` (§5.2).
    func keyPackageRef(_ encoded: [UInt8]) -> [UInt8] { refHash("MLS 1.0 KeyPackage Reference", encoded) }

    /// `MakeProposalRef` (§5.2).
    func proposalRef(_ encoded: [UInt8]) -> [UInt8] { refHash("MLS 1.0 Proposal Reference", encoded) }

    /// `ExpandWithLabel(Secret, Label, Context, Length)` (§8).
    func expandWithLabel(
        _ secret: SecretBytes, _ label: StaticString, _ context: UnsafeRawBufferPointer, _ length: Int
    ) -> SecretBytes {
        expandWithLabel(
            secret, UnsafeRawBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount), context, length)
    }

    /// `ExpandWithLabel` with an empty context (§8).
    func expandWithLabel(_ secret: SecretBytes, _ label: StaticString, _ length: Int) -> SecretBytes {
        expandWithLabel(secret, label, UnsafeRawBufferPointer(start: nil, count: 0), length)
    }

    /// `ExpandWithLabel` with the context in an array (§8).
    func expandWithLabel(
        _ secret: SecretBytes, _ label: StaticString, _ context: [UInt8], _ length: Int
    ) -> SecretBytes {
        context.withUnsafeBytes { expandWithLabel(secret, label, $0, length) }
    }

    /// `DeriveSecret(Secret, Label) = ExpandWithLabel(Secret, Label, "", KDF.Nh)` (§8).
    func deriveSecret(_ secret: SecretBytes, _ label: StaticString) -> SecretBytes {
        expandWithLabel(secret, label, length)
    }

    /// `DeriveTreeSecret(Secret, Label, Generation, Length)` (§9).
    func deriveTreeSecret(
        _ secret: SecretBytes, _ label: StaticString, _ generation: UInt32, _ length: Int
    ) -> SecretBytes {
        withUnsafeBytes(of: generation.bigEndian) { expandWithLabel(secret, label, $0, length) }
    }

    /// `ExpandWithLabel` with the label in a buffer (§8, §8.5). An exporter has no literal as its label: the application chooses
    /// the label.
    func expandWithLabel(
        _ secret: SecretBytes, _ label: UnsafeRawBufferPointer, _ context: UnsafeRawBufferPointer, _ length: Int
    ) -> SecretBytes {
        // struct { uint16 length; opaque label<V> = "MLS 1.0 " + Label; opaque context<V>; } KDFLabel;
        let prefix: StaticString = "MLS 1.0 "
        let labelLength = prefix.utf8CodeUnitCount + label.count
        let infoLength =
            2 + varintLength(labelLength) + labelLength + varintLength(context.count) + context.count
        return expand(secret, count: length, infoLength: infoLength) { info in
            info[0] = UInt8(truncatingIfNeeded: length >> 8)
            info[1] = UInt8(truncatingIfNeeded: length)
            var at = 2 + writeVarint(labelLength, into: info, at: 2)
            info.copy(prefix.utf8Bytes, at: &at)
            info.copy(label, at: &at)
            at += writeVarint(context.count, into: info, at: at)
            info.copy(context, at: &at)
        }
    }
}

/// The number of bytes that encode a vector's length (§2.1.2).
private func varintLength(_ length: Int) -> Int { length < 1 << 6 ? 1 : length < 1 << 14 ? 2 : 4 }

/// Writes a vector's length (§2.1.2). Returns the number of bytes written.
private func writeVarint(_ length: Int, into buffer: UnsafeMutableRawBufferPointer, at index: Int) -> Int {
    switch varintLength(length) {
    case 1:
        buffer[index] = UInt8(length)
        return 1
    case 2:
        buffer[index] = UInt8(length >> 8) | 0x40
        buffer[index + 1] = UInt8(length & 0xff)
        return 2
    default:
        for offset in 0..<4 { buffer[index + offset] = UInt8(truncatingIfNeeded: length >> (24 - 8 * offset)) }
        buffer[index] |= 0x80
        return 4
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Copies bytes to the position `index`. Moves `index` behind the copied bytes.
    @inline(__always)
    func copy(_ source: UnsafeRawBufferPointer, at index: inout Int) {
        guard source.count > 0 else { return }
        UnsafeMutableRawBufferPointer(rebasing: self[index..<(index + source.count)]).copyMemory(from: source)
        index += source.count
    }
}

extension StaticString {
    /// The literal's bytes. These bytes exist as long as the program runs.
    var utf8Bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
