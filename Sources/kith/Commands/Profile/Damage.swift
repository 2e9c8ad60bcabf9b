import Foundation
import KithClient
import PrivateFiles

/// Reports that a part of a profile is damaged on the disk. The undamaged part can be read.
enum Damage {
    /// Reports the number of damaged records. If no record is damaged, does nothing.
    ///
    /// - Parameter fate: the consequence for the damaged records, as a participle such as `not read`.
    /// - Throws: ``Failure`` if there are any damaged records.
    static func report(_ damage: DamageCount, _ fate: String) throws {
        var parts: [String] = []
        if damage.entries > 0 { parts.append(damage.entries == 1 ? "1 entry" : "\(damage.entries) entries") }
        if damage.otherValues > 0 {
            parts.append(damage.otherValues == 1 ? "1 other record" : "\(damage.otherValues) other records")
        }
        guard !parts.isEmpty else { return }
        let isOne = damage.entries + damage.otherValues == 1
        throw Failure(
            message:
                "\(parts.joined(separator: " and ")) of this profile \(isOne ? "is" : "are") damaged on the disk and "
                + "\(isOne ? "was" : "were") \(fate); everything else is here")
    }
}

/// Warns about private files that other users can read. On a file system with modes, Kith's private files are closed to other
/// users, so the warning concerns file systems without modes.
enum OpenFiles {
    /// Warns about those files of a folder that other users can read.
    static func warn(in folder: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        warn(of: names.sorted().filter { PrivateFile(folder.appending(path: $0)).isOpenToOthers }, in: folder)
    }

    /// Warns about the given files, in one line on standard error.
    static func warn(of files: [String], in folder: URL) {
        guard !files.isEmpty else { return }
        let words =
            "others on this machine can read \(files.joined(separator: ", ")) in \(folder.path): its file system has no "
            + "modes. Move it to another one, or mount this one for you alone"
        StandardStream.error.write("[\(SafeText.oneLine(words))]\n")
    }
}
