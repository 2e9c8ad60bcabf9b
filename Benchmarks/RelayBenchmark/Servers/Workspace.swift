import Foundation

/// A folder for one run, for stores, configurations and a certificate. The folder is removed at the end of the run, even if the
/// run is killed.
final class Workspace: Sendable {
    let folder: URL
    private let guardian: Guardian

    /// - Parameter parent: a folder on the file system whose speed is measured.
    init(in parent: URL) throws {
        folder = parent.appending(path: "kith-bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // The command waits a second, so that the processes that write to the folder have ended when it removes the folder.
        guardian = try Guardian(#"sleep 1; rm -rf "$0""#, folder.path)
    }

    /// Returns a path in the folder that is not used yet.
    func path(_ name: String) -> String {
        folder.appending(path: "\(name)-\(UInt32.random(in: .min ... .max))").path
    }

    func remove() {
        guardian.dismiss()
        try? FileManager.default.removeItem(at: folder)
    }
}

/// Programs of the system that the benchmarks use.
enum Tool {
    /// Returns the path of a program; `nil` if it is not installed. The search includes folders that are usually only in an
    /// administrator's PATH.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin", "/usr/bin"])
            .map { $0 + "/" + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a program to its end.
    static func run(_ name: String, _ arguments: [String]) throws {
        guard let path = find(name) else { throw ServerFailure("\(name) is not installed") }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ServerFailure("\(name) failed") }
    }
}

/// A P-256 key and a certificate that is signed with this key, for the peers. The relay's own key and certificate are of the
/// same kind.
struct Certificate: Sendable {
    let certificateFile: String
    let keyFile: String

    init(in workspace: Workspace) throws {
        certificateFile = workspace.path("certificate")
        keyFile = workspace.path("key")
        try Tool.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-subj", "/CN=localhost", "-keyout", keyFile, "-out", certificateFile,
            ])
    }
}

enum Loopback {
    /// A port that was free a moment ago.
    static func freePort() throws -> Int {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = self.address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw ServerFailure("no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Returns when a server listens on the port.
    static func waitForListener(on port: Int, within seconds: Double = 10) throws {
        let deadline = Date(timeIntervalSinceNow: seconds)
        var address = self.address(port)
        while true {
            let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(probe) }
            let isOpen = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isOpen { return }
            guard Date() < deadline else { throw ServerFailure("nothing listened within \(seconds) s") }
            usleep(5_000)
        }
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }
}
