import Foundation
import KithClient
import PrivateFiles

/// The words for a profile of which a part is damaged on its disk: the rest can be read.
enum Damage {
    /// Says how much was damaged, if anything was.
    ///
    /// - Parameter fate: what became of it.
    /// - Throws: ``Failure``.
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

/// The warning about private files that others can read, because their file system keeps no modes.
enum OpenFiles {
    /// Names the files in a folder of private files that others can read.
    static func warn(in folder: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        warn(of: names.sorted().filter { PrivateFile(folder.appending(path: $0)).isOpenToOthers }, in: folder)
    }

    /// Names the files in one line on standard error, if there are any.
    static func warn(of files: [String], in folder: URL) {
        guard !files.isEmpty else { return }
        let words =
            "others on this machine can read \(files.joined(separator: ", ")) in \(folder.path): its file system has no "
            + "modes; keep it on another, or mount it for you alone"
        StandardStream.error.write("[\(SafeText.oneLine(words))]\n")
    }
}
