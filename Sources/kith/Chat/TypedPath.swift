import Foundation

/// Paths that a person types after `/file`.
enum TypedPath {
    /// Returns the paths. Among several paths, a path that contains spaces has to be in quotes. `~` stands for the home folder.
    static func paths(_ typed: String) -> [String] {
        let whole = expanded(typed)
        if FileManager.default.fileExists(atPath: whole) { return [whole] }
        let quotes: Set<Character> = ["\"", "“", "”"]
        return SlashCommand.names(typed).map { name in
            guard let first = name.first, quotes.contains(first), name.count > 2 else { return expanded(name) }
            return expanded(String(name.dropFirst().dropLast()))
        }
    }

    /// Completes the path at the end of a typed line.
    ///
    /// - Parameter line: the text before the cursor.
    /// - Returns: the characters to insert; `nil` if the line is no `/file` command, or if no single continuation exists.
    static func completion(of line: String) -> String? {
        let command = "/file "
        guard line.hasPrefix(command) else { return nil }
        let typed = String(line.dropFirst(command.count))
        let path = expanded(typed)
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? "."
        let start = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let matching = names.filter { $0.hasPrefix(start) && (!start.isEmpty || !$0.hasPrefix(".")) }
        guard var common = matching.commonBeginning else { return nil }
        if matching.count == 1 {
            var isFolder: ObjCBool = false
            let whole = slash == nil ? common : folder + common
            if FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder), isFolder.boolValue {
                common += "/"
            }
        }
        let rest = common.dropFirst(start.count)
        return rest.isEmpty ? nil : String(rest)
    }

    private static func expanded(_ path: String) -> String { (path as NSString).expandingTildeInPath }
}
