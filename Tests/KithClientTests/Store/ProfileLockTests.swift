import Foundation
import Testing

@testable import KithClient
@testable import KithCore

@Suite("the lock of a profile")
struct ProfileLockTests {
    @Test("is given once, and again when it was released")
    func once() throws {
        let folder = VaultFolder()
        var lock: ProfileLock? = try ProfileLock.acquire(in: folder.url)
        #expect(throws: KithError.inUse(pid: getpid())) { _ = try ProfileLock.acquire(in: folder.url) }
        #expect(lock != nil)
        lock = nil
        lock = try ProfileLock.acquire(in: folder.url)
        #expect(throws: KithError.inUse(pid: getpid())) { _ = try ProfileLock.acquire(in: folder.url) }
    }

    @Test("a lock file with nonsense in it names no process")
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
