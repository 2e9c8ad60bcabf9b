import Foundation

/// Programs of this package that were built together with the tests.
package enum BuiltProgram {
    /// The `kith` program in the folder of the test bundle, or the one that `KITH_PROGRAM` names.
    package static let kith: URL = {
        if let given = ProcessInfo.processInfo.environment["KITH_PROGRAM"] { return URL(filePath: given) }
        return folder.appending(path: "kith")
    }()

    /// The example bot in the folder of the test bundle.
    package static let pingBot = folder.appending(path: "PingBot")

    private static let folder: URL = {
        let tests =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(filePath: tests).deletingLastPathComponent()
    }()
}
