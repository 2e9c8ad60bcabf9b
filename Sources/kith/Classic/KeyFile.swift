import ClassicSession
import Foundation
import KithClient
import PrivateFiles

/// The file in which a user keeps an RSA key from run to run.
struct KeyFile {
    private let file: PrivateFile

    /// The largest key file that is read: an RSA key of the longest length taken has some 6,500 bytes of PEM.
    private static let limit = 32 << 10

    init(path: String) { file = PrivateFile(URL(fileURLWithPath: path)) }

    /// The key in the file, which is made, readable by nobody else, if there is none.
    func identity() throws -> ClassicIdentity {
        if let kept = try read() { return kept }
        let identity = try ClassicIdentity.generate()
        if try file.writeIfMissing(Array(identity.pem.utf8)) { return try ClassicIdentity(pem: identity.pem) }
        // Another process was faster: its key is the one.
        guard let kept = try read() else { throw Failure(message: "the key file \(file.url.path) comes and goes") }
        return kept
    }

    private func read() throws -> ClassicIdentity? {
        guard let content = try file.read(limit: Self.limit) else { return nil }
        guard !file.isOpenToOthers else {
            throw Failure(
                message: "others on this machine can read the key file \(file.url.path); make it yours alone with "
                    + "chmod 600, or better, make a new one")
        }
        return try ClassicIdentity(pem: String(decoding: content, as: UTF8.self))
    }
}
