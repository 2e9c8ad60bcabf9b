import Crypto
import Foundation
import KithSupport
import KithWire
import NIOSSL
import PrivateFiles
import X509

/// The key and the certificate of a relay, and the pin by which clients recognise the relay.
public struct RelayIdentity: Sendable {
    let certificateChain: [NIOSSLCertificateSource]
    let privateKey: NIOSSLPrivateKeySource
    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    public let pin: RelayPin

    /// The reason why a relay has no identity.
    public enum Failure: Error, CustomStringConvertible {
        /// A file can't be read or written.
        case file(path: String, reason: String)
        /// A file does not hold a key or a certificate.
        case invalid(path: String, reason: String)
        /// The key is missing, but there is a store or a certificate.
        case missingKey(path: String)
        /// The certificate belongs to a different key.
        case mismatch(certificate: String, key: String)

        /// One sentence for the operator.
        public var description: String {
            switch self {
            case .file(let path, let reason): "\(path): \(reason)"
            case .invalid(let path, let reason): "\(path) cannot be used: \(reason)"
            case .missingKey(let path):
                "\(path) is missing; restore it, or create a new key with --new-identity, which clients of the old one refuse"
            case .mismatch(let certificate, let key):
                "\(certificate) does not belong to the key in \(key); restore the right one, or delete it to get a new one"
            }
        }
    }

    /// Loads the identity from a folder. If the folder has neither an identity nor a store, creates an identity. If only the
    /// certificate is missing, creates a certificate for the key. Only the owner of the new files can read them.
    ///
    /// - Parameters:
    ///   - folder: the relay's folder.
    ///   - makesNew: whether to create a missing key even if there is a store or a certificate. Clients that know the relay
    ///     refuse the new key.
    /// - Throws: ``Failure``. An existing key is never replaced: with a new key, clients would take the relay for a different
    ///   relay.
    public static func kept(in folder: URL, makingNew makesNew: Bool = false) throws -> RelayIdentity {
        let keyFile = folder.appending(path: "relay-key.pem")
        let certificateFile = folder.appending(path: "relay-certificate.pem")
        func isThere(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
        if !isThere(keyFile) || !isThere(certificateFile) {
            try inWords { () throws(PrivateFileError) in try PrivateFile.makeFolder(folder) }
            try inFolderAlone(folder) {
                if isThere(keyFile) {
                    // Another process may have created both files while this process waited.
                    guard !isThere(certificateFile) else { return }
                    return try makeCertificate(certificateFile, keyFile: keyFile)
                }
                let isUsed = isThere(certificateFile) || isThere(URL(filePath: StoreFolder(path: folder.path).database))
                guard makesNew || !isUsed else { throw Failure.missingKey(path: keyFile.path) }
                try make(keyFile: keyFile, certificateFile: certificateFile)
            }
        } else if makesNew {
            throw Failure.file(
                path: keyFile.path, reason: "it exists already; a new identity is created only if it is missing")
        }
        return try given(certificateFile: certificateFile, keyFile: keyFile)
    }

    /// Locks the folder, runs `body`, and syncs the folder: a key that a client has seen must survive a crash. The lock lets
    /// only one process at a time create an identity in the folder.
    private static func inFolderAlone(_ folder: URL, _ body: () throws -> Void) throws {
        func failed(_ error: Int32) -> Failure { .file(path: folder.path, reason: SystemError(error).sentence) }
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed(errno) }
        defer { close(descriptor) }
        let error = FileSystem.lock(descriptor, LOCK_EX)
        guard error == 0 else { throw failed(error) }
        try body()
        guard fsync(descriptor) == 0 else { throw failed(errno) }
    }

    /// Loads an identity from PEM files.
    ///
    /// - Parameters:
    ///   - certificateFile: the certificate, followed by the rest of its chain.
    ///   - keyFile: the private key of the certificate.
    /// - Throws: ``Failure`` if a file is missing or invalid, or if the key does not belong to the certificate.
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
        let identity = RelayIdentity(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key),
            pin: RelayPin(ofSubjectPublicKeyInfo: spki))
        // The TLS library checks that the certificate belongs to the key.
        guard (try? identity.tlsContext()) != nil else {
            throw Failure.mismatch(certificate: certificateFile.path, key: keyFile.path)
        }
        return identity
    }

    /// Creates a certificate for a key whose certificate was lost. Clients check only the key, and accept the new certificate.
    private static func makeCertificate(_ certificateFile: URL, keyFile: URL) throws {
        guard let text = try? String(contentsOf: keyFile, encoding: .utf8),
            let key = try? P256.Signing.PrivateKey(pemRepresentation: text)
        else { throw Failure.invalid(path: keyFile.path, reason: "no P-256 key in it, or not readable") }
        try write(certificateFile, try certificate(of: key))
    }

    /// Creates a P-256 key and a self-signed certificate. Clients check the key by its pin, and check neither the name nor the
    /// dates of the certificate.
    private static func make(keyFile: URL, certificateFile: URL) throws {
        let key = P256.Signing.PrivateKey()
        try write(certificateFile, try certificate(of: key))
        // The key is written last, so that wherever there is a key, there is also a certificate.
        try write(keyFile, key.pemRepresentation)
    }

    /// Writes a file completely or not at all. Only the owner of the file can read it.
    private static func write(_ file: URL, _ text: String) throws(Failure) {
        try inWords { () throws(PrivateFileError) in try PrivateFile(file).write(Array(text.utf8)) }
    }

    private static func certificate(of key: P256.Signing.PrivateKey) throws -> String {
        let signer = Certificate.PrivateKey(key)
        let name = try DistinguishedName { CommonName("Kith relay") }
        let now = Date()
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: signer.publicKey,
            notValidBefore: now - 86_400, notValidAfter: now + 50 * 366 * 86_400, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: try Certificate.Extensions {}, issuerPrivateKey: signer)
        return try certificate.serializeAsPEM().pemString
    }

    /// Runs an operation on a file, and translates its error into a sentence.
    private static func inWords(_ body: () throws(PrivateFileError) -> Void) throws(Failure) {
        do { try body() } catch {
            let verb = error.operation == .read ? "read" : "written"
            throw .file(path: error.path, reason: "it cannot be \(verb): \(SystemError(error.errno).sentence)")
        }
    }

    /// A context for TLS 1.3 only. The context prefers X25519MLKEM768 to X25519.
    package func tlsContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificateChain, privateKey: privateKey)
        configuration.minimumTLSVersion = .tlsv13
        configuration.curves = [.x25519_MLKEM768, .x25519]
        configuration.applicationProtocols = ["http/1.1"]
        // If the peer does not answer the close, the connection stays open for this time at most.
        configuration.shutdownTimeout = .milliseconds(500)
        return try NIOSSLContext(configuration: configuration)
    }
}
