import Crypto
import Foundation
import KithWire
import NIOSSL
import SwiftASN1
import X509

/// The key and certificate that a relay shows, and the pin that clients know it by.
public struct RelayIdentity: Sendable {
    let certificateChain: [NIOSSLCertificateSource]
    let privateKey: NIOSSLPrivateKeySource
    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    public let pin: RelayPin

    /// Why there is no identity.
    public enum Failure: Error, CustomStringConvertible {
        /// A file cannot be read or written.
        case file(path: String, reason: String)
        /// A file holds something else than it should.
        case invalid(path: String, reason: String)

        /// One sentence.
        public var description: String {
            switch self {
            case .file(let path, let reason): "\(path): \(reason)"
            case .invalid(let path, let reason): "\(path) cannot be used: \(reason)"
            }
        }
    }

    /// The identity kept in a folder; made there, readable by its owner only, if there is none yet.
    ///
    /// - Throws: ``Failure``. An unreadable identity is never replaced: clients would take the relay for another.
    public static func kept(in folder: URL) throws -> RelayIdentity {
        let keyFile = folder.appending(path: "relay-key.pem")
        let certificateFile = folder.appending(path: "relay-certificate.pem")
        if !FileManager.default.fileExists(atPath: keyFile.path) {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try inFolderAlone(folder) {
                // Another process may have made one while this one waited.
                if FileManager.default.fileExists(atPath: keyFile.path) { return }
                try make(keyFile: keyFile, certificateFile: certificateFile)
            }
        }
        return try given(certificateFile: certificateFile, keyFile: keyFile)
    }

    /// Runs `body` while no other process does the same in the folder, and then has the folder's names written to the disk:
    /// who has seen the key has to find it again.
    private static func inFolderAlone(_ folder: URL, _ body: () throws -> Void) throws {
        func failed() -> Failure { .file(path: folder.path, reason: String(cString: strerror(errno))) }
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed() }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw failed() }
        }
        try body()
        guard fsync(descriptor) == 0 else { throw failed() }
    }

    /// An identity from PEM files of the caller's.
    ///
    /// - Throws: ``Failure`` if a file is missing or does not hold what it should.
    public static func given(certificateFile: URL, keyFile: URL) throws -> RelayIdentity {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificateFile.path)
        } catch {
            throw Failure.invalid(path: certificateFile.path, reason: "no PEM certificate in it")
        }
        guard let leaf = chain.first, let spki = try? leaf.extractPublicKey().toSPKIBytes() else {
            throw Failure.invalid(path: certificateFile.path, reason: "no PEM certificate in it")
        }
        guard let key = try? NIOSSLPrivateKey(file: keyFile.path, format: .pem) else {
            throw Failure.invalid(path: keyFile.path, reason: "no PEM private key in it, or not readable")
        }
        return RelayIdentity(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key),
            pin: RelayPin(ofSubjectPublicKeyInfo: spki))
    }

    /// A fresh P-256 key with a certificate signed by itself. Nobody checks its names or dates: clients know the pin.
    private static func make(keyFile: URL, certificateFile: URL) throws {
        let key = P256.Signing.PrivateKey()
        let signer = Certificate.PrivateKey(key)
        let name = try DistinguishedName { CommonName("Kith relay") }
        let now = Date()
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: signer.publicKey,
            notValidBefore: now - 86_400, notValidAfter: now + 50 * 366 * 86_400, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: try Certificate.Extensions {}, issuerPrivateKey: signer)
        try writeNew(certificateFile, try certificate.serializeAsPEM().pemString)
        // The key comes last: where it is, the certificate is too.
        try writeNew(keyFile, key.pemRepresentation)
    }

    /// Creates a file that only its owner can read, and that is whole or not there.
    private static func writeNew(_ file: URL, _ text: String) throws {
        let temporary = file.path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_CREAT | O_EXCL | O_WRONLY, 0o600)
        guard descriptor >= 0 else { throw Failure.file(path: file.path, reason: String(cString: strerror(errno))) }
        fchmod(descriptor, 0o600)
        let bytes = Array(text.utf8)
        let isWritten = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(temporary, file.path) == 0 else {
            throw Failure.file(path: file.path, reason: String(cString: strerror(errno)))
        }
    }

    /// TLS 1.3 only, X25519MLKEM768 before X25519.
    func tlsContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificateChain, privateKey: privateKey)
        configuration.minimumTLSVersion = .tlsv13
        configuration.curves = [.x25519_MLKEM768, .x25519]
        configuration.applicationProtocols = ["http/1.1"]
        // A peer that does not answer our goodbye holds its place no longer than this.
        configuration.shutdownTimeout = .milliseconds(500)
        return try NIOSSLContext(configuration: configuration)
    }
}
