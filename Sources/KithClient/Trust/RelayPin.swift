import KithWire
import NIOSSL

extension RelayPin {
    init(of certificate: NIOSSLCertificate) throws {
        self.init(ofSubjectPublicKeyInfo: try certificate.extractPublicKey().toSPKIBytes())
    }
}
