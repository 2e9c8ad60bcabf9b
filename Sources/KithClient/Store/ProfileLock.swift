import Foundation

/// Says that this process has a profile. Given up when it goes.
final class ProfileLock: Sendable {
    /// A lock of nothing, for stores that no other process can reach.
    static let none = ProfileLock()
    private init() {}
    static func acquire(in folder: URL) throws(KithError) -> ProfileLock { none }
}
