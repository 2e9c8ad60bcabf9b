import MLS
import TLSCodec

/// The proof that a device belongs to an account. The account key signs the certificate. The certificate is the identity in the
/// device's MLS credential.
///
/// ```text
/// struct {
///     uint8 version = 1;
///     opaque account_key[32];
///     opaque name<V>;                  the person's name, UTF-8
///     opaque device_id[16];
///     opaque device_signature_key<V>;  the signature key of the device's leaves
///     opaque device_name<V>;           UTF-8
///     uint64 not_before, not_after;    seconds since 1970
///     opaque signature[64];            Ed25519 signature by account_key of "kith device v1" and all fields above
/// } DeviceCertificate;
/// ```
///
/// Decoding a certificate does not verify its signature: see ``verify(signatureKey:)``.
package struct DeviceCertificate: Hashable, Sendable, TLSCodable {
    /// The account of the device.
    package let accountKey: AccountKey
    /// The name that the person chose.
    package let name: String
    /// The device's id, 16 random bytes.
    package let deviceID: ID
    /// The signature key of the device's leaves.
    package let deviceSignatureKey: SignaturePublicKey
    /// The name that the person has given the device.
    package let deviceName: String
    /// The period in which the certificate is valid, in seconds since 1970.
    package let lifetime: Lifetime
    private(set) var signature: [UInt8] = []

    /// The id of a device.
    package typealias ID = [UInt8]

    /// The length of a device's id, in bytes.
    static let idLength = 16
    private static let version: UInt8 = 1
    private static let label = Array("kith device v1".utf8)

    /// The device that a certificate is for.
    package struct Device {
        /// 16 random bytes.
        let id: [UInt8]
        /// The person's name for the device.
        let name: String
        /// The signature key of the device's leaves.
        let signatureKey: SignaturePublicKey
    }

    /// Creates and signs a certificate.
    ///
    /// - Throws: ``MLSError/crypto(_:)``.
    package init(
        account: AccountPrivateKey, name: String, device: Device, lifetime: Lifetime
    ) throws(MLSError) {
        accountKey = account.publicKey
        self.name = name
        deviceID = device.id
        deviceSignatureKey = device.signatureKey
        deviceName = device.name
        self.lifetime = lifetime
        signature = try account.sign(signedBytes)
    }

    /// Reads a certificate.
    package init(from reader: inout TLSReader) throws(TLSCodecError) {
        let version = try reader.readUInt8()
        guard version == Self.version else {
            throw .unknownValue(field: "DeviceCertificate.version", value: UInt64(version))
        }
        accountKey = try reader.read()
        name = try reader.readText(limit: ClientLimits.personName)
        deviceID = Array(try reader.readBytes(Self.idLength))
        deviceSignatureKey = try reader.read()
        deviceName = try reader.readText(limit: ClientLimits.personName)
        lifetime = try reader.read()
        signature = Array(try reader.readBytes(64))
    }

    /// Writes the certificate.
    package func encode(into writer: inout TLSWriter) {
        encodeUnsigned(into: &writer)
        writer.writeBytes(signature)
    }

    private func encodeUnsigned(into writer: inout TLSWriter) {
        writer.write(Self.version)
        writer.write(accountKey)
        writer.writeText(name)
        writer.writeBytes(deviceID)
        writer.write(deviceSignatureKey)
        writer.writeText(deviceName)
        writer.write(lifetime)
    }

    /// The bytes that the account signs.
    private var signedBytes: [UInt8] {
        var writer = TLSWriter(capacity: 512)
        encodeUnsigned(into: &writer)
        return Self.label + writer.bytes
    }

    /// Whether the account has signed the certificate for this signature key. The lifetime is not checked here. The lifetime is
    /// checked before the device is added to a group: see ``CertifiedDevices``.
    func verify(signatureKey: SignaturePublicKey) -> Bool {
        guard deviceSignatureKey == signatureKey else { return false }
        return accountKey.isValid(signature, over: signedBytes)
    }
}

extension Credential {
    /// The unverified certificate in a Kith member's credential; `nil` for any other credential.
    var deviceCertificate: DeviceCertificate? {
        guard case .basic(let identity) = self else { return nil }
        return try? DeviceCertificate(decoding: identity)
    }
}

/// Checks the credentials of a group's members. A leaf is accepted if two conditions hold:
///
/// - The account that the certificate names has signed the certificate.
/// - The certificate is for the leaf's own signature key.
///
/// The lifetime of a member's certificate is ignored, so a member with a wrong clock accepts the same commits and Welcomes as
/// all other members, and stays in the group. Only a member that adds a device checks the lifetime of that device's
/// certificate, because an addition can be postponed.
struct CertifiedDevices: AuthenticationService {
    func isValid(_ credential: Credential, signatureKey: SignaturePublicKey, as role: CredentialRole) -> Bool {
        // Every device is a member, and external proposals are not allowed.
        guard role == .member else { return false }
        return credential.deviceCertificate?.verify(signatureKey: signatureKey) ?? false
    }

    /// Whether a member may replace its certificate with a new one: the account and the device must stay the same.
    func isValidSuccessor(_ new: Credential, of old: Credential) -> Bool {
        guard let new = new.deviceCertificate, let old = old.deviceCertificate else { return false }
        return new.accountKey == old.accountKey && new.deviceID == old.deviceID
    }

    /// Identifies the device. A group contains each device only once.
    func clientIdentity(_ credential: Credential) -> [UInt8]? {
        credential.deviceCertificate.map { $0.accountKey.bytes + $0.deviceID }
    }
}
