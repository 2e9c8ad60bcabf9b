import Foundation

/// The folder of the running program. If a benchmark is killed, the files that it leaves there disturb nobody.
package var programFolder: String {
    let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(filePath: program ?? "./").deletingLastPathComponent().path
}
