import KithSupport
import TLSCodec

extension PendingCommit {
    /// The commit, encoded for storage. After a restart, the restored commit can be applied. The bytes contain the next epoch's
    /// keys, and are secret.
    public var stored: SecretBytes {
        var writer = TLSWriter(capacity: 8_192)
        writer.write(Group.storageVersion)
        writer.write(base.epoch)
        writer.writeOpaque(base.confirmationTag)
        writer.write(base.ownLeafIndex)
        writer.write(next.epochState)
        writer.writeNested { writer in
            for record in next.records {
                guard let content = record.content else { continue }
                writer.write(record.key.rawValue)
                writer.write(content)
            }
        }
        writer.write(message)
        writer.writeOptional(welcome)
        writer.write(effect)
        defer { writer.wipe() }
        return SecretBytes(writer.bytes)
    }

    /// Restores a stored commit.
    ///
    /// - Throws: ``MLSError/storage(_:)``.
    public init(restoring stored: SecretBytes) throws(MLSError) {
        var reader = TLSReader(stored.copyBytes())
        do {
            let version = try reader.readUInt8()
            guard version == Group.storageVersion else { throw MLSError.storage(.version(version)) }
            base = CommitBase(
                epoch: try reader.readUInt64(), confirmationTag: Array(try reader.readOpaque()),
                ownLeafIndex: try reader.read())
            let epochState = try SecretBytes(from: &reader)
            var nested = try reader.readNested()
            var records: [GroupRecord] = []
            while !nested.isAtEnd {
                guard let key = GroupRecordKey(rawValue: try nested.readUInt64()) else {
                    throw MLSError.storage(.malformed)
                }
                records.append(GroupRecord(key: key, content: try SecretBytes(from: &nested)))
            }
            message = try reader.read()
            welcome = try reader.readOptional()
            effect = try reader.read()
            try reader.expectEnd()
            next = try Group(restoring: epochState, records: records)
        } catch let error as MLSError {
            throw error
        } catch {
            throw .storage(.malformed)
        }
    }
}

extension CommitEffect: TLSCodable {
    /// Reads a stored effect.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        committer = try reader.read()
        committerLeaf = try reader.read()
        added = try reader.readVector(of: IndexedLeaf.self).map { ($0.index, $0.leaf) }
        updated = try reader.readVector(of: IndexedChange.self).map { ($0.index, $0.old, $0.new) }
        removed = try reader.readVector(of: IndexedLeaf.self).map { ($0.index, $0.leaf) }
        extensions = try reader.readPresence() ? try reader.readVector() : nil
        preSharedKeys = try reader.readVector()
        reInit = try reader.readOptional()
        authenticatedData = Array(try reader.readOpaque())
        removesSelf = try reader.readPresence()
    }

    /// Writes the effect for storage.
    public func encode(into writer: inout TLSWriter) {
        writer.write(committer)
        writer.write(committerLeaf)
        writer.writeVector(added.map { IndexedLeaf(index: $0.index, leaf: $0.leaf) })
        writer.writeVector(updated.map { IndexedChange(index: $0.index, old: $0.old, new: $0.new) })
        writer.writeVector(removed.map { IndexedLeaf(index: $0.index, leaf: $0.leaf) })
        writer.write(UInt8(extensions == nil ? 0 : 1))
        if let extensions { writer.writeVector(extensions) }
        writer.writeVector(preSharedKeys)
        writer.writeOptional(reInit)
        writer.writeOpaque(authenticatedData)
        writer.write(UInt8(removesSelf ? 1 : 0))
    }
}

private struct IndexedLeaf: TLSCodable {
    let index: LeafIndex
    let leaf: LeafNode

    init(index: LeafIndex, leaf: LeafNode) {
        self.index = index
        self.leaf = leaf
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        index = try reader.read()
        leaf = try reader.read()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(index)
        writer.write(leaf)
    }
}

private struct IndexedChange: TLSCodable {
    let index: LeafIndex
    let old: LeafNode
    let new: LeafNode

    init(index: LeafIndex, old: LeafNode, new: LeafNode) {
        self.index = index
        self.old = old
        self.new = new
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        index = try reader.read()
        old = try reader.read()
        new = try reader.read()
    }

    func encode(into writer: inout TLSWriter) {
        writer.write(index)
        writer.write(old)
        writer.write(new)
    }
}
