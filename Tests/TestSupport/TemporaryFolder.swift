import Foundation

/// A unique path under the system's temporary folder. The files there are removed with the object.
package final class TemporaryFolder: Sendable {
    package let url = FileManager.default.temporaryDirectory.appending(path: "kith-test-\(UUID().uuidString)")

    /// Makes a path, and no folder.
    package init() {}

    deinit { try? FileManager.default.removeItem(at: url) }

    package var path: String { url.path }
}

/// Runs `body` with a new folder, which is removed afterwards.
package func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
    let folder = TemporaryFolder()
    try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
    defer { withExtendedLifetime(folder) {} }
    return try await body(folder.url)
}
