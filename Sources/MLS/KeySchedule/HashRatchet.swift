import TLSCodec

/// The key and nonce of one generation (RFC 9420 §9.1). A key and its nonce are used only once.
struct MessageKey: Sendable {
    let generation: UInt32
    let key: SecretBytes
    let nonce: SecretBytes

    /// Returns the nonce for a message. The first four bytes are XORed with the reuse guard (§6.3.1).
    func nonce(reuseGuard: [UInt8]) -> SecretBytes {
        SecretBytes(count: nonce.count) { bytes in
            nonce.withUnsafeBytes { UnsafeMutableRawBufferPointer(bytes).copyMemory(from: $0) }
            for index in 0..<min(4, reuseGuard.count) { bytes[index] ^= reuseGuard[index] }
        }
    }
}

/// One of a member's symmetric ratchets (RFC 9420 §9.1).
struct HashRatchet: Sendable {
    private var secret: SecretBytes
    /// The generation to which ``secret`` belongs.
    private(set) var generation: UInt32 = 0
    /// Keys of missing messages of earlier generations, the oldest first.
    private var skipped: [MessageKey] = []

    init(secret: SecretBytes) {
        self.secret = secret
    }

    /// The number of stored keys of missing messages.
    var skippedCount: Int { skipped.count }

    /// Returns the key and nonce of the current generation, and moves the ratchet to the next one (§9.1).
    mutating func next(_ algorithms: Algorithms) throws(MLSError) -> MessageKey {
        // The last number is never used, so that the counter cannot overflow.
        guard generation < .max else { throw .usage(.generationOverflow) }
        let hash = algorithms.hash
        let key = MessageKey(
            generation: generation,
            key: hash.deriveTreeSecret(secret, "key", generation, algorithms.aead.keyLength),
            nonce: hash.deriveTreeSecret(secret, "nonce", generation, algorithms.aead.nonceLength))
        secret = hash.deriveTreeSecret(secret, "secret", generation, hash.length)
        generation += 1
        return key
    }

    /// Returns the key and nonce of the wanted generation: the current one, a later one or a skipped one. Each key and nonce is
    /// returned only once.
    mutating func take(
        _ wanted: UInt32, _ window: RatchetWindow, _ algorithms: Algorithms
    ) throws(MLSError) -> MessageKey {
        if wanted < generation {
            guard let index = skipped.firstIndex(where: { $0.generation == wanted }) else {
                throw .message(.generationConsumed)
            }
            return skipped.remove(at: index)
        }
        guard wanted - generation <= window.maximumForwardDistance else { throw .message(.generationTooFarAhead) }
        let keep = Int(min(window.outOfOrderWindow, UInt32(Limits.skippedKeys)))
        while generation < wanted { skipped.append(try next(algorithms)) }
        let oldest = UInt64(wanted) - min(UInt64(keep), UInt64(wanted))
        skipped.removeAll { UInt64($0.generation) < oldest }
        return try next(algorithms)
    }

    // MARK: Persistence

    func encode(into writer: inout TLSWriter) {
        secret.withUnsafeBytes { writer.writeOpaque($0) }
        writer.write(generation)
        writer.writeNested { writer in
            for key in skipped {
                writer.write(key.generation)
                key.key.withUnsafeBytes { writer.writeOpaque($0) }
                key.nonce.withUnsafeBytes { writer.writeOpaque($0) }
            }
        }
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        secret = SecretBytes(try reader.readOpaque(limit: Limits.hashLength))
        generation = try reader.readUInt32()
        var nested = try reader.readNested()
        while !nested.isAtEnd {
            skipped.append(
                MessageKey(
                    generation: try nested.readUInt32(), key: SecretBytes(try nested.readOpaque(limit: 255)),
                    nonce: SecretBytes(try nested.readOpaque(limit: 255))))
        }
    }
}

extension SecretTree.LeafRatchets {
    /// Encodes the ratchets for storage.
    var encoded: SecretBytes {
        var writer = TLSWriter(capacity: 128)
        handshake.encode(into: &writer)
        application.encode(into: &writer)
        return SecretBytes(writer.bytes)
    }

    init(decoding content: SecretBytes) throws(MLSError) {
        var reader = TLSReader(content.copyBytes())
        do {
            handshake = try HashRatchet(from: &reader)
            application = try HashRatchet(from: &reader)
            try reader.expectEnd()
        } catch {
            throw .storage(.malformed)
        }
    }
}
