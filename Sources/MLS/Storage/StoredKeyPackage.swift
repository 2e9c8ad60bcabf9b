import KithSupport
import TLSCodec

extension KeyPackageBundle {
    /// The key package with its private keys and the signer, encoded for storage. The bytes are secret. Keep the bytes until a
    /// Welcome arrives.
    public var stored: SecretBytes {
        var writer = TLSWriter(capacity: 4_096)
        writer.write(Group.storageVersion)
        writer.write(keyPackage)
        writer.write(initKey.bytes)
        writer.write(encryptionKey.bytes)
        writer.write(signer.bytes)
        defer { writer.wipe() }
        return SecretBytes(writer.bytes)
    }

    /// Restores a stored key package.
    ///
    /// - Throws: ``MLSError/storage(_:)`` if the bytes are damaged or have an unknown version. ``MLSError/usage(_:)`` if a
    ///   private key does not belong to the package.
    public init(restoring stored: SecretBytes) throws(MLSError) {
        var reader = TLSReader(stored.copyBytes())
        let keyPackage: KeyPackage
        let keys: [SecretBytes]
        do {
            let version = try reader.readUInt8()
            guard version == Group.storageVersion else { throw MLSError.storage(.version(version)) }
            keyPackage = try reader.read()
            keys = [
                try SecretBytes(from: &reader), try SecretBytes(from: &reader), try SecretBytes(from: &reader),
            ]
            try reader.expectEnd()
        } catch let error as MLSError {
            throw error
        } catch {
            throw .storage(.malformed)
        }
        try self.init(keyPackage: keyPackage, initKey: keys[0], encryptionKey: keys[1], signer: keys[2])
    }
}

extension Welcome {
    /// Whether the Welcome is for a given key package (RFC 9420 §12.4.3.1). With the check, a client with several key packages
    /// finds the Welcome's key package.
    ///
    /// - Throws: ``MLSError/unsupportedCipherSuite(_:)``.
    public func isFor(_ keyPackage: KeyPackage) throws(MLSError) -> Bool {
        guard keyPackage.cipherSuite == cipherSuite else { return false }
        let reference = try keyPackage.reference()
        return secrets.contains { $0.newMember == reference }
    }
}
