import KithSupport
import TLSCodec

extension SecretBytes {
    /// Reads an `opaque x<V>` as a secret.
    init(from reader: inout TLSReader) throws(TLSCodecError) {
        self.init(try reader.readOpaque())
    }
}

extension TLSWriter {
    /// Writes a secret as an `opaque x<V>`.
    mutating func write(_ secret: SecretBytes) {
        secret.withUnsafeBytes { writeOpaque($0) }
    }

    /// Overwrites the bytes in the writer with zeros.
    mutating func wipe() {
        let count = bytes.count
        removeAll()
        writeBytes(repeatElement(0, count: count))
    }
}

extension ExporterTree {
    /// The tree's nodes, encoded for storage.
    var stored: SecretBytes {
        var writer = TLSWriter(capacity: 1_024)
        for (node, secret) in secrets.sorted(by: { $0.key < $1.key }) {
            writer.write(UInt32(node))
            writer.write(secret)
        }
        defer { writer.wipe() }
        return SecretBytes(writer.bytes)
    }

    init(stored: SecretBytes) throws(MLSError) {
        var reader = TLSReader(stored.copyBytes())
        var secrets: [Int: SecretBytes] = [:]
        do {
            while !reader.isAtEnd {
                let node = Int(try reader.readUInt32())
                secrets[node] = try SecretBytes(from: &reader)
            }
        } catch {
            throw .storage(.malformed)
        }
        self.init(secrets: secrets)
    }
}

extension ProposalCache.Entry {
    /// The entry, encoded for storage.
    var stored: SecretBytes {
        var writer = TLSWriter(capacity: 512)
        writer.writeOpaque(reference)
        writer.write(proposal)
        writer.write(sender)
        writer.write(UInt8(ownUpdate == nil ? 0 : 1) | UInt8(isDiscarded ? 2 : 0))
        if let ownUpdate {
            writer.write(ownUpdate.encryptionKey.bytes)
            writer.write(ownUpdate.signer.bytes)
        }
        defer { writer.wipe() }
        return SecretBytes(writer.bytes)
    }

    init(stored: SecretBytes, _ algorithms: Algorithms) throws(MLSError) {
        var reader = TLSReader(stored.copyBytes())
        do {
            reference = Array(try reader.readOpaque())
            proposal = try reader.read()
            sender = try reader.read()
            // Flag 1 means that the keys of an own Update follow. Flag 2 means that the proposal was discarded.
            let flags = try reader.readUInt8()
            guard flags <= 3 else { throw MLSError.storage(.malformed) }
            isDiscarded = flags & 2 != 0
            guard flags & 1 != 0 else {
                ownUpdate = nil
                try reader.expectEnd()
                return
            }
            let key = try SecretBytes(from: &reader)
            let signer = try SecretBytes(from: &reader)
            try reader.expectEnd()
            ownUpdate = .init(
                encryptionKey: try algorithms.kem.privateKey(key),
                signer: try SignaturePrivateKey(scheme: algorithms.signature, signer))
        } catch {
            throw .storage(.malformed)
        }
    }
}
