import Foundation
import KithWire
import Synchronization
import TestSupport
import Testing

@testable import KithRelay

@Suite("The identity of a relay")
struct RelayIdentityTests {
    @Test("first starts at the same time in one folder agree on the key")
    func oneKey() throws {
        for _ in 0..<10 {
            let folder = TemporaryFolder()
            let pins = Mutex<Set<RelayPin>>([])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                do {
                    let identity = try RelayIdentity.kept(in: URL(fileURLWithPath: folder.path))
                    // A certificate of another key than the one beside it cannot be used.
                    _ = try identity.tlsContext()
                    pins.withLock { _ = $0.insert(identity.pin) }
                } catch { Issue.record(error) }
            }
            #expect(pins.withLock(\.count) == 1)
            let again = try RelayIdentity.kept(in: URL(fileURLWithPath: folder.path))
            #expect(pins.withLock { $0 } == [again.pin])
        }
    }

    @Test("a key that is missing beside a store or a certificate is made only when that was asked for")
    func missingKey() throws {
        for rest in ["relay-certificate.pem", "relay.sqlite"] {
            let folder = TemporaryFolder()
            let url = URL(fileURLWithPath: folder.path)
            let first = try RelayIdentity.kept(in: url)
            if rest == "relay.sqlite" {
                try FileManager.default.removeItem(at: url.appending(path: "relay-certificate.pem"))
                try Data().write(to: url.appending(path: rest))
            }
            let key = url.appending(path: "relay-key.pem")
            let kept = try Data(contentsOf: key)
            try FileManager.default.removeItem(at: key)
            let before = try? Data(contentsOf: url.appending(path: "relay-certificate.pem"))
            let failure = #expect(throws: RelayIdentity.Failure.self) { try RelayIdentity.kept(in: url) }
            #expect(failure?.description.contains("--new-identity") == true)
            #expect(!FileManager.default.fileExists(atPath: key.path))
            #expect((try? Data(contentsOf: url.appending(path: "relay-certificate.pem"))) == before)
            #expect(try RelayIdentity.kept(in: url, makingNew: true).pin != first.pin)
            // Not twice: that would replace a key.
            #expect(throws: RelayIdentity.Failure.self) { try RelayIdentity.kept(in: url, makingNew: true) }
            try kept.write(to: key)
        }
    }

    @Test("a missing certificate is made anew from the key, and one of another key is refused in a sentence")
    func certificate() throws {
        let folder = TemporaryFolder()
        let url = URL(fileURLWithPath: folder.path)
        let first = try RelayIdentity.kept(in: url)
        let certificate = url.appending(path: "relay-certificate.pem")
        try FileManager.default.removeItem(at: certificate)
        #expect(try RelayIdentity.kept(in: url).pin == first.pin)

        let other = TemporaryFolder()
        _ = try RelayIdentity.kept(in: URL(fileURLWithPath: other.path))
        try FileManager.default.removeItem(at: certificate)
        try FileManager.default.copyItem(
            at: URL(fileURLWithPath: other.path).appending(path: "relay-certificate.pem"), to: certificate)
        let failure = #expect(throws: RelayIdentity.Failure.self) { try RelayIdentity.kept(in: url) }
        #expect(failure?.description.contains("is not of the key") == true)
    }

    @Test("the error of a folder that cannot be made has a reason in plain words")
    func noFolder() throws {
        let folder = TemporaryFolder()
        let file = URL(fileURLWithPath: folder.path).appending(path: "file")
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try Data().write(to: file)
        let failure = #expect(throws: RelayIdentity.Failure.self) {
            try RelayIdentity.kept(in: file.appending(path: "below"))
        }
        let sentence = failure?.description ?? ""
        #expect(sentence.hasSuffix(": it cannot be written: a part of the path is no folder"))
    }
}
