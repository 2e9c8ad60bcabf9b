import ClassicSession
import Foundation
import KithClient
import PrivateFiles

/// The file that stores a user's RSA key between runs.
struct KeyFile {
    private let file: PrivateFile

    /// Maximum size of a key file, in bytes. The longest accepted key takes about 6,500 bytes in PEM.
    private static let limit = 32 << 10

    init(path: String) { file = PrivateFile(URL(fileURLWithPath: path)) }

    /// Returns the key in the file. If there is no file, creates a key file that only this user can read.
    func identity() throws -> ClassicIdentity {
        if let kept = try read() { return kept }
        let identity = try ClassicIdentity.generate()
        if try file.writeIfMissing(Array(identity.pem.utf8)) { return try ClassicIdentity(pem: identity.pem) }
        // Another process has just stored a key, so that key is used.
        guard let kept = try read() else {
            throw Failure(
                message: "the key file \(file.url.path) disappears as soon as it is made; another process deletes it")
        }
        return kept
    }

    private func read() throws -> ClassicIdentity? {
        guard let content = try file.read(limit: Self.limit) else { return nil }
        guard !file.isOpenToOthers else {
            throw Failure(
                message: "others on this machine can read the key file \(file.url.path); protect it with "
                    + "chmod 600, or better, make a new key")
        }
        return try ClassicIdentity(pem: String(decoding: content, as: UTF8.self))
    }
}
