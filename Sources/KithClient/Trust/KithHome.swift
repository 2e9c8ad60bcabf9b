import Foundation

/// The folder of a user's profiles and known relays on this machine. `$KITH_HOME` names the folder if it is set. If only
/// `$XDG_DATA_HOME` is set, the folder is `$XDG_DATA_HOME/kith`. If neither is set, the folder is `~/.local/share/kith`.
package struct KithHome: Hashable, Sendable {
    /// The folder, which need not exist yet.
    package let folder: URL

    /// Uses the given folder.
    package init(folder: URL) { self.folder = folder }

    /// Finds the folder with environment variables. A relative `$KITH_HOME` is relative to the current folder.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        func folder(_ variable: String) -> URL? {
            environment[variable].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0, isDirectory: true).absoluteURL }
        }
        func absoluteFolder(_ variable: String) -> URL? {
            // The XDG specification requires that relative paths are ignored.
            environment[variable]?.hasPrefix("/") == true ? folder(variable) : nil
        }
        let home = absoluteFolder("HOME") ?? FileManager.default.homeDirectoryForCurrentUser
        // `$KITH_HOME` is used even if it is relative, because a user who names a folder must not silently get the default one.
        self.folder =
            folder("KITH_HOME")
            ?? (absoluteFolder("XDG_DATA_HOME") ?? home.appendingPathComponent(".local/share", isDirectory: true))
            .appendingPathComponent("kith", isDirectory: true)
    }

    /// The file of known relays.
    package var knownRelays: URL { folder.appendingPathComponent("known_relays") }
}
