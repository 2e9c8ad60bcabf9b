import Foundation

/// How a vault is opened.
public enum VaultSecret: Sendable {
    /// With what the user remembers.
    case passphrase(String)
    /// With a file beside the vault, for those who chose no passphrase.
    case keyFile
}

/// A profile's state on the disk, sealed.
package final class VaultStore: ProfileStore {
    /// Makes a new vault in a folder.
    package static func create(in folder: URL, _ secret: VaultSecret) throws(KithError) -> VaultStore { throw .noProfile }

    /// Opens the vault in a folder.
    ///
    /// - Parameter isReadOnly: whether another process may have it open for writing.
    package static func open(in folder: URL, _ secret: VaultSecret, isReadOnly: Bool = false) throws(KithError) -> VaultStore {
        throw .noProfile
    }

    package func value(_ key: StoreKey) throws(StoreError) -> [UInt8]? { nil }
    package func values(
        _ table: StoreTable, owner: UInt64, items: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(StoreError) -> [StoredValue] { [] }
    package func allValues(_ table: StoreTable) throws(StoreError) -> [StoredValue] { [] }
    package func commit(_ transaction: StoreTransaction) throws(StoreError) {}
}
