import KithWire
import NIOSSL

extension RelayPin {
    init(of certificate: NIOSSLCertificate) throws {
        self.init(ofSubjectPublicKeyInfo: try certificate.extractPublicKey().toSPKIBytes())
    }
}

extension RelayPin {
    /// The first 16 digits, which are enough to tell keys apart at a glance. Only all 64 digits prove that two keys are the same.
    package var short: String { description.prefix(16) + "…" }
}
