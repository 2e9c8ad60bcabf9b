import KithWire
import NIOSSL

extension RelayPin {
    init(of certificate: NIOSSLCertificate) throws {
        self.init(ofSubjectPublicKeyInfo: try certificate.extractPublicKey().toSPKIBytes())
    }
}

extension RelayPin {
    /// The first 16 digits, which distinguish keys at a glance. Only all 64 digits prove that two keys are equal.
    package var short: String { description.prefix(16) + "…" }
}
