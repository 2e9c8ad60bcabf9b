import KithSupport
import TLSCodec

/// Stores a group in parts. Only changed parts have to be written. The *epoch state* contains the tree, and changes only with a
/// commit. The *records* have a few hundred bytes each, and change with messages.
///
/// In one transaction of the application's database, process or encrypt a message, store the result of ``takeChangedRecords()``,
/// and store the message. After a commit, store ``epochState``, delete the group's old records, and store ``records``. A restored
/// group continues at the stored point, and uses no generation twice.
extension Group {
    /// The version of the format. A changed format gets the next number. Old versions must remain readable.
    static let storageVersion: UInt8 = 1

    /// The part of the state that only a commit changes. The epoch state contains this member's keys, and is secret.
    public var epochState: SecretBytes {
        var writer = TLSWriter(capacity: 4_096 + tree.memberCount * 384)
        writer.write(Self.storageVersion)
        switch status {
        case .active: writer.write(UInt8(0))
        case .removed: writer.write(UInt8(1))
        case .reinitialized(let reInit):
            writer.write(UInt8(2))
            writer.write(reInit)
        }
        writer.write(context)
        writer.writeOpaque(tree.encoded)
        writer.write(ownLeafIndex)
        writer.write(signer.bytes)
        writer.writeNested { writer in
            for (node, key) in privateKeys.sorted(by: { $0.key < $1.key }) {
                writer.write(UInt32(node))
                writer.write(key.bytes)
            }
        }
        for secret in secrets.stored { writer.write(secret) }
        writer.writeOpaque(confirmationTag)
        writer.writeNested { writer in
            for psk in resumptionPSKs {
                writer.write(psk.epoch)
                writer.write(psk.secret)
            }
        }
        defer { writer.wipe() }
        return SecretBytes(writer.bytes)
    }

    /// All records of the current epoch.
    public var records: [GroupRecord] {
        let keys = secretTree.recordKeys + proposals.entries.indices.map { .proposal(UInt32($0)) } + [.exporter]
        return keys.sorted().map(record)
    }

    /// Returns the records that have changed in this epoch since the last call. The content of a deleted record is nil.
    public mutating func takeChangedRecords() -> [GroupRecord] {
        var keys = secretTree.takeChanges()
        keys.formUnion(proposals.takeChanges().map { .proposal($0) })
        if exporterTree.takeChange() { keys.insert(.exporter) }
        return keys.sorted().map(record)
    }

    private func record(_ key: GroupRecordKey) -> GroupRecord {
        let content: SecretBytes? =
            switch key {
            case .node, .leaf: secretTree.content(of: key)
            case .proposal(let index):
                Int(index) < proposals.entries.count ? proposals.entries[Int(index)].stored : nil
            case .exporter: exporterTree.stored
            }
        // Each record contains its epoch, so that a mixture of two epochs is detected.
        return GroupRecord(
            key: key,
            content: content.map { content in
                var writer = TLSWriter(capacity: content.count + 16)
                writer.write(Self.storageVersion)
                writer.write(epoch)
                content.withUnsafeBytes { writer.writeBytes($0) }
                defer { writer.wipe() }
                return SecretBytes(writer.bytes)
            })
    }

    /// Restores a group from its stored parts.
    ///
    /// - Throws: ``MLSError/storage(_:)`` if the state is damaged, has an unknown version, or mixes two epochs.
    public init(restoring epochState: SecretBytes, records: [GroupRecord]) throws(MLSError) {
        let stored: StoredEpoch
        do {
            stored = try epochState.withUnsafeBytes { bytes in
                var reader = TLSReader(Array(bytes))
                return try StoredEpoch(from: &reader)
            }
        } catch let error as MLSError {
            throw error
        } catch {
            throw .storage(.malformed)
        }
        let algorithms = try stored.context.cipherSuite.requireAlgorithms()
        var tree = try RatchetTree(decoding: stored.tree, algorithms.hash)
        guard tree.treeHash() == stored.context.treeHash else { throw .storage(.malformed) }
        self.algorithms = algorithms
        self.context = stored.context
        self.tree = tree
        ownLeafIndex = stored.ownLeafIndex
        status = stored.status
        signer = try SignaturePrivateKey(scheme: algorithms.signature, stored.signer)
        privateKeys = [:]
        for (node, key) in stored.privateKeys { privateKeys[Int(node)] = try algorithms.kem.privateKey(key) }
        secrets = EpochSecrets(stored: stored.secrets)
        confirmationTag = stored.confirmationTag
        interimTranscriptHash = TranscriptHash.interim(
            context.confirmedTranscriptHash, confirmationTag: confirmationTag, algorithms.hash)
        resumptionPSKs = stored.resumptionPSKs

        var contents: [(key: GroupRecordKey, content: SecretBytes)] = []
        for record in records.sorted(by: { $0.key < $1.key }) {
            guard let content = record.content else { continue }
            contents.append((record.key, try Self.unwrap(content, epoch: stored.context.epoch)))
        }
        secretTree = try SecretTree(records: contents, size: tree.size, algorithms)
        exporterTree = ExporterTree(secrets: [:])
        for (key, content) in contents {
            switch key {
            case .node, .leaf: continue
            case .proposal: proposals.insert(try .init(stored: content, algorithms))
            case .exporter: exporterTree = try ExporterTree(stored: content)
            }
        }
        _ = proposals.takeChanges()
    }

    /// Checks the version and the epoch at the start of a record's content, and returns the bytes that follow.
    private static func unwrap(_ content: SecretBytes, epoch: UInt64) throws(MLSError) -> SecretBytes {
        var reader = TLSReader(content.copyBytes())
        guard let version = try? reader.readUInt8(), version == storageVersion else {
            throw .storage(.version(content.withUnsafeBytes { $0.first ?? 0 }))
        }
        guard let recorded = try? reader.readUInt64(), let rest = try? reader.readBytes(reader.remaining) else {
            throw .storage(.malformed)
        }
        guard recorded == epoch else { throw .storage(.epochMismatch) }
        return SecretBytes(rest)
    }
}

/// The decoded epoch state. The keys in this state are not parsed yet.
private struct StoredEpoch {
    var status: Group.Status = .active
    let context: GroupContext
    let tree: [UInt8]
    let ownLeafIndex: LeafIndex
    let signer: SecretBytes
    var privateKeys: [(UInt32, SecretBytes)] = []
    var secrets: [SecretBytes] = []
    let confirmationTag: [UInt8]
    var resumptionPSKs: [(epoch: UInt64, secret: SecretBytes)] = []

    init(from reader: inout TLSReader) throws {
        let version = try reader.readUInt8()
        guard version == Group.storageVersion else { throw MLSError.storage(.version(version)) }
        switch try reader.readUInt8() {
        case 0: status = .active
        case 1: status = .removed
        case 2: status = .reinitialized(try reader.read())
        default: throw MLSError.storage(.malformed)
        }
        context = try reader.read()
        tree = Array(try reader.readOpaque())
        ownLeafIndex = try reader.read()
        signer = try SecretBytes(from: &reader)
        var keys = try reader.readNested()
        while !keys.isAtEnd { privateKeys.append((try keys.readUInt32(), try SecretBytes(from: &keys))) }
        for _ in 0..<EpochSecrets.storedCount { secrets.append(try SecretBytes(from: &reader)) }
        confirmationTag = Array(try reader.readOpaque())
        var psks = try reader.readNested()
        while !psks.isAtEnd { resumptionPSKs.append((try psks.readUInt64(), try SecretBytes(from: &psks))) }
        try reader.expectEnd()
    }
}

extension EpochSecrets {
    static let storedCount = 8

    /// The secrets, in the order of storage.
    var stored: [SecretBytes] {
        [
            senderDataSecret, exporterSecret, externalSecret, confirmationKey, membershipKey, resumptionPSK,
            epochAuthenticator, initSecret,
        ]
    }

    /// - Precondition: every caller passes ``storedCount`` secrets.
    init(stored: [SecretBytes]) {
        self.init(
            senderDataSecret: stored[0], exporterSecret: stored[1], externalSecret: stored[2],
            confirmationKey: stored[3], membershipKey: stored[4], resumptionPSK: stored[5],
            epochAuthenticator: stored[6], initSecret: stored[7])
    }
}
