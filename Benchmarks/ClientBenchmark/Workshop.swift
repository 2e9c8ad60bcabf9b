import Foundation

/// A folder for the files of one run. After a run that was interrupted, the folder stays.
struct Workshop {
    let url: URL

    init(in folder: String) throws {
        url = URL(fileURLWithPath: folder)
            .appendingPathComponent(".client-benchmark-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(at: url) }

    func folder(_ name: String) -> URL { url.appendingPathComponent(name) }
}

/// Returns the number of bytes that this process has caused to be written to disks, as the kernel counts them (`write_bytes` in
/// `/proc/self/io`).
func bytesWritten() throws -> UInt64 {
    let lines = try String(contentsOfFile: "/proc/self/io", encoding: .utf8).split(separator: "\n")
    let line = lines.first { $0.hasPrefix("write_bytes:") } ?? ""
    return UInt64(line.split(separator: " ").last ?? "") ?? 0
}
