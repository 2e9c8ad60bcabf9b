import MLS
import Testing

@testable import KithClient
@testable import KithCore

/// A device is believed to be an account's for the key that the account signed, and as a member only.
@Suite("Device certificates")
struct DeviceCertificateTests {
    private func key() throws -> SignaturePublicKey {
        try SignaturePrivateKey(generatingFor: .x25519AES128SHA256Ed25519).publicKey
    }

    private func credential(for key: SignaturePublicKey) throws -> Credential {
        let certificate = try DeviceCertificate(
            account: AccountPrivateKey(random: .system), name: "alice",
            device: DeviceCertificate.Device(
                id: [UInt8](repeating: 1, count: 16), name: "laptop", signatureKey: key),
            lifetime: Lifetime(notBefore: 0, notAfter: 1))
        return .basic(identity: certificate.encoded)
    }

    @Test("another signature key than the certificate's is refused")
    func otherKey() throws {
        let (own, other) = (try key(), try key())
        let credential = try credential(for: own)
        #expect(CertifiedDevices().isValid(credential, signatureKey: own, as: .member))
        #expect(!CertifiedDevices().isValid(credential, signatureKey: other, as: .member))
    }

    @Test("an account's key has 32 bytes", arguments: [0, 31, 32, 33])
    func accountKeyLength(count: Int) {
        #expect((AccountKey([UInt8](repeating: 1, count: count)) != nil) == (count == 32))
    }

    @Test("a device is no external sender")
    func externalSender() throws {
        let own = try key()
        #expect(!CertifiedDevices().isValid(try credential(for: own), signatureKey: own, as: .externalSender))
    }

    @Test("a certificate of another version, or with a changed byte, is refused")
    func changed() throws {
        let own = try key()
        guard case .basic(let bytes) = try credential(for: own) else { return }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(!CertifiedDevices().isValid(.basic(identity: changed), signatureKey: own, as: .member))
        }
    }
}
