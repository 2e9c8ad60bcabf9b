import Foundation

/// A path of its own under the system's temporary folder. Whatever is there is removed together with the object.
package final class TemporaryFolder: Sendable {
    package let url = FileManager.default.temporaryDirectory.appending(path: "kith-test-\(UUID().uuidString)")

    /// Creates nothing yet.
    package init() {}

    deinit { try? FileManager.default.removeItem(at: url) }

    package var path: String { url.path }
}

/// Gives `body` a folder of its own, which is removed afterwards.
package func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
    let folder = TemporaryFolder()
    try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
    defer { withExtendedLifetime(folder) {} }
    return try await body(folder.url)
}
