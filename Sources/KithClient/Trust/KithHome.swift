import Foundation

/// The folder of a user's profiles and known relays on this machine: `$KITH_HOME`, or else `$XDG_DATA_HOME/kith`, or
/// else `~/.local/share/kith`.
package struct KithHome: Hashable, Sendable {
    /// The folder. It may not exist yet.
    package let folder: URL

    /// A folder with a given URL.
    package init(folder: URL) { self.folder = folder }

    /// The folder that environment variables name. A relative `$KITH_HOME` is relative to the current folder.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        func folder(_ variable: String) -> URL? {
            environment[variable].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0, isDirectory: true).absoluteURL }
        }
        func absoluteFolder(_ variable: String) -> URL? {
            // The XDG specification says to ignore relative paths.
            environment[variable]?.hasPrefix("/") == true ? folder(variable) : nil
        }
        let home = absoluteFolder("HOME") ?? FileManager.default.homeDirectoryForCurrentUser
        // Never ignored: a user who names a folder must not end up in the default one.
        self.folder =
            folder("KITH_HOME")
            ?? (absoluteFolder("XDG_DATA_HOME") ?? home.appendingPathComponent(".local/share", isDirectory: true))
            .appendingPathComponent("kith", isDirectory: true)
    }

    /// The file of known relays.
    package var knownRelays: URL { folder.appendingPathComponent("known_relays") }
}
