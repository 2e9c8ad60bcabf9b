import Foundation

/// A unique path under the system's temporary folder. When the object is released, the files at this path are removed.
package final class TemporaryFolder: Sendable {
    package let url = FileManager.default.temporaryDirectory.appending(path: "kith-test-\(UUID().uuidString)")

    /// Chooses the path, but makes no folder.
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
