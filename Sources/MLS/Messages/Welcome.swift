import TLSCodec

/// The message for clients that a commit adds to a group (RFC 9420 §12.4.3.1).
///
/// ```text
/// struct {
///     CipherSuite cipher_suite;
///     EncryptedGroupSecrets secrets<V>;
///     opaque encrypted_group_info<V>;
/// } Welcome;
/// ```
public struct Welcome: Hashable, Sendable, TLSCodable {
    /// The group's cipher suite.
    public let cipherSuite: CipherSuite
    /// The secrets, encrypted to each added client.
    package let secrets: [EncryptedGroupSecrets]
    /// The GroupInfo, encrypted with a key that is derived from the secrets.
    package let encryptedGroupInfo: [UInt8]

    init(cipherSuite: CipherSuite, secrets: [EncryptedGroupSecrets], encryptedGroupInfo: [UInt8]) {
        self.cipherSuite = cipherSuite
        self.secrets = secrets
        self.encryptedGroupInfo = encryptedGroupInfo
    }

    /// Reads a Welcome.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        cipherSuite = try reader.read()
        secrets = try reader.readVector(maximumCount: Limits.members)
        encryptedGroupInfo = Array(try reader.readOpaque())
    }

    /// Writes the Welcome.
    public func encode(into writer: inout TLSWriter) {
        writer.write(cipherSuite)
        writer.writeVector(secrets)
        writer.writeOpaque(encryptedGroupInfo)
    }
}

/// `struct { KeyPackageRef new_member; HPKECiphertext encrypted_group_secrets; } EncryptedGroupSecrets;` (§12.4.3.1)
package struct EncryptedGroupSecrets: Hashable, Sendable, TLSCodable {
    /// The reference of the client's key package.
    package let newMember: [UInt8]
    /// The client's `GroupSecrets`, encrypted to the key package's init key.
    package let encryptedGroupSecrets: HPKECiphertext

    init(newMember: [UInt8], encryptedGroupSecrets: HPKECiphertext) {
        self.newMember = newMember
        self.encryptedGroupSecrets = encryptedGroupSecrets
    }

    /// Reads the two fields.
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        newMember = try reader.readHash()
        encryptedGroupSecrets = try reader.read()
    }

    /// Writes the two fields.
    package func encode(into writer: inout TLSWriter) {
        writer.writeOpaque(newMember)
        writer.write(encryptedGroupSecrets)
    }
}

/// `struct { opaque joiner_secret<V>; optional<PathSecret> path_secret; PreSharedKeyID psks<V>; } GroupSecrets;`
/// (RFC 9420 §12.4.3.1)
struct GroupSecrets: TLSCodable {
    let joinerSecret: SecretBytes
    let pathSecret: SecretBytes?
    let preSharedKeys: [PreSharedKeyID]

    init(joinerSecret: SecretBytes, pathSecret: SecretBytes?, preSharedKeys: [PreSharedKeyID]) {
        self.joinerSecret = joinerSecret
        self.pathSecret = pathSecret
        self.preSharedKeys = preSharedKeys
    }

    init(from reader: inout TLSReader) throws(TLSCodecError) {
        joinerSecret = SecretBytes(try reader.readOpaque(limit: Limits.hashLength))
        pathSecret = try reader.readPresence() ? SecretBytes(try reader.readOpaque(limit: Limits.hashLength)) : nil
        preSharedKeys = try reader.readVector(maximumCount: Limits.preSharedKeys)
    }

    func encode(into writer: inout TLSWriter) {
        joinerSecret.withUnsafeBytes { writer.writeOpaque($0) }
        writer.write(UInt8(pathSecret == nil ? 0 : 1))
        pathSecret?.withUnsafeBytes { writer.writeOpaque($0) }
        writer.writeVector(preSharedKeys)
    }
}
