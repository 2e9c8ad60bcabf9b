import Foundation
import KithWire
import Synchronization
import TestSupport
import Testing

@testable import KithRelay

@Suite("The identity of a relay")
struct RelayIdentityTests {
    @Test("concurrent first starts in one folder agree on the key")
    func oneKey() throws {
        for _ in 0..<10 {
            let folder = TemporaryFolder()
            let pins = Mutex<Set<RelayPin>>([])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                do {
                    let identity = try RelayIdentity.kept(in: URL(fileURLWithPath: folder.path))
                    // A certificate that does not belong to the key beside it is refused.
                    _ = try identity.tlsContext()
                    pins.withLock { _ = $0.insert(identity.pin) }
                } catch { Issue.record(error) }
            }
            #expect(pins.withLock(\.count) == 1)
            let again = try RelayIdentity.kept(in: URL(fileURLWithPath: folder.path))
            #expect(pins.withLock { $0 } == [again.pin])
        }
    }

    @Test("a key missing beside a store or a certificate is created only on request")
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
            // A second request fails: it would replace a key.
            #expect(throws: RelayIdentity.Failure.self) { try RelayIdentity.kept(in: url, makingNew: true) }
            try kept.write(to: key)
        }
    }

    @Test("a missing certificate is created from the key, and one of another key is refused with a clear error")
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
        #expect(failure?.description.contains("does not belong to the key") == true)
    }

    @Test("the error about a folder that can't be created gives the reason in plain words")
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
