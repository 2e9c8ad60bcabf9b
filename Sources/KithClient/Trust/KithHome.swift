import Foundation

/// The folder where Kith keeps what belongs to a user of this machine: `$KITH_HOME`, or else `$XDG_DATA_HOME/kith`, or
/// else `~/.local/share/kith`.
public struct KithHome: Hashable, Sendable {
    /// The folder. It may not exist yet.
    public let folder: URL

    /// A folder given by name.
    public init(folder: URL) { self.folder = folder }

    /// The folder that these environment variables name.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        func folder(_ variable: String) -> URL? {
            // Relative paths would mean another folder in every folder (and the XDG specification forbids them).
            guard let path = environment[variable], path.hasPrefix("/") else { return nil }
            return URL(fileURLWithPath: path, isDirectory: true)
        }
        let home = folder("HOME") ?? FileManager.default.homeDirectoryForCurrentUser
        self.folder =
            folder("KITH_HOME")
            ?? (folder("XDG_DATA_HOME") ?? home.appendingPathComponent(".local/share", isDirectory: true))
            .appendingPathComponent("kith", isDirectory: true)
    }

    /// The file of known relays.
    public var knownRelays: URL { folder.appendingPathComponent("known_relays") }
}
