import Foundation
import Testing

@testable import KithClient
@testable import KithCore

@Suite("The lock of a profile")
struct ProfileLockTests {
    @Test("is held by one holder at a time, and can be taken again after its release")
    func once() throws {
        let folder = VaultFolder()
        var lock: ProfileLock? = try ProfileLock.acquire(in: folder.url)
        #expect(throws: KithError.inUse(pid: getpid())) { _ = try ProfileLock.acquire(in: folder.url) }
        #expect(lock != nil)
        lock = nil
        lock = try ProfileLock.acquire(in: folder.url)
        #expect(throws: KithError.inUse(pid: getpid())) { _ = try ProfileLock.acquire(in: folder.url) }
    }

    @Test("names no process if the file has other content")
    func nonsense() throws {
        let folder = VaultFolder()
        let lock = try ProfileLock.acquire(in: folder.url)
        let file = folder.url.appendingPathComponent("profile.lock")
        for content in ["", "x", "-1", "0", "99999999999999", "4194305", String(repeating: "1", count: 100)] {
            try content.write(to: file, atomically: false, encoding: .utf8)
            #expect(throws: KithError.inUse(pid: nil), "\(content)") { _ = try ProfileLock.acquire(in: folder.url) }
        }
        withExtendedLifetime(lock) {}
    }
}
