import Foundation
import TestSupport

@testable import KithRelay

/// Runs `body` with a new store and its folder, and closes the store afterwards.
func withBlobStore(_ body: (FileBlobStore, URL) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        let store = try FileBlobStore(folder: folder.path)
        do {
            try await body(store, folder)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}
