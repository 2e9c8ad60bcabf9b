import Foundation
import KithClient
import KithWire
import RelayTestSupport
import Synchronization
import TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A relay in a process of its own, listening on a free loopback port.
final class RelayProcess: Sendable {
    let process: pid_t
    let address: RelayAddress
    let pin: RelayPin
    private let metrics: RelayAddress?
    let folder: RelayFolder
    /// Whether the process has been reaped: then its number may belong to another process.
    private let isOver = Atomic<Bool>(false)

    /// Higher limits for tests that do much from one address.
    static let roomy = [
        "requests-per-second": 4_000_000, "request-burst": 4_000_000, "connections-per-address": 10_000,
        "address-requests-per-second": 4_000_000, "address-request-burst": 40_000_000,
    ]

    private init(process: pid_t, address: RelayAddress, pin: RelayPin, metrics: RelayAddress?, folder: RelayFolder) {
        self.process = process
        self.address = address
        self.pin = pin
        self.metrics = metrics
        self.folder = folder
    }

    /// Ends the relay of a test that failed.
    deinit {
        guard !isOver.load(ordering: .relaxed) else { return }
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// Starts a relay and returns when it listens.
    static func start(
        in folder: RelayFolder, limits: [String: Int] = roomy, arguments: [String] = [], filesAtMost: Int? = nil
    ) async throws -> RelayProcess {
        let limits = limits.sorted { $0.key < $1.key }.flatMap { ["--limit", "\($0.key)=\($0.value)"] }
        let process = try Program.start(
            [
                "relay", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data", folder.data.path, "--json",
            ] + limits + arguments,
            output: folder.output, errors: folder.errors, filesAtMost: filesAtMost)
        struct Listening: Decodable {
            let address: String
            let pin: String
            let metrics: String?
        }
        var relay: RelayProcess?
        do {
            try await eventually("the relay listens") {
                if let line = try? Data(contentsOf: folder.output), line.last == UInt8(ascii: "\n"),
                    let listening = try? JSONDecoder().decode(Listening.self, from: line),
                    let address = RelayAddress(listening.address), let pin = RelayPin(listening.pin)
                {
                    let metrics = listening.metrics.flatMap { RelayAddress($0) }
                    relay = RelayProcess(process: process, address: address, pin: pin, metrics: metrics, folder: folder)
                    return true
                }
                if let status = Program.endOf(process) { throw Program.Ended(status: status, errors: folder.errorText) }
                return false
            }
        } catch is NeverHappened {
            kill(process, SIGKILL)
        }
        guard let relay else { throw Program.Ended(status: nil, errors: folder.errorText) }
        return relay
    }

    func connect(pass: RelayPass? = nil) async throws -> RelayConnection {
        try await RelayConnection.connect(to: address, trust: .pinned(pin), pass: pass, timeouts: .patient)
    }

    /// Kills the process, and returns when it is gone.
    func kill9() async throws { _ = try await stop(SIGKILL) }

    /// Terminates the process and returns its end.
    func stop(_ signal: Int32 = SIGTERM) async throws -> Program.Status {
        kill(process, signal)
        // The process is gone after this in any case.
        isOver.store(true, ordering: .relaxed)
        return try await Program.waitForEnd(of: process)
    }

    /// Whether the process runs.
    var isAlive: Bool {
        if isOver.load(ordering: .relaxed) { return false }
        if Program.endOf(process) == nil { return true }
        isOver.store(true, ordering: .relaxed)
        return false
    }

    /// The resident memory of the process, in bytes.
    var residentBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return kilobytes << 10
    }

    /// The resident memory after it has stopped shrinking for a while, so that memory that is freed late does not
    /// count.
    func settledBytes() async throws -> Int { try await steadyBytes(samples: 8) { $0 < $1 - (256 << 10) } }

    /// The resident memory after it has stopped growing for two seconds, so that memory that is taken late counts.
    func grownBytes() async throws -> Int { try await steadyBytes(samples: 20) { $0 > $1 + (256 << 10) } }

    /// The resident memory once as many samples in a row, 100 ms apart, differ too little from the one before them. The
    /// pauses belong to the measurement.
    private func steadyBytes(samples: Int, _ differs: (_ now: Int, _ before: Int) -> Bool) async throws -> Int {
        var base = residentBytes
        var count = 0
        while count < samples {
            try await Task.sleep(for: .milliseconds(100))
            let now = residentBytes
            count = differs(now, base) ? 0 : count + 1
            if count == 0 { base = now }
        }
        return base
    }

    /// Requests a page by HTTP. Metrics have another port, without TLS.
    func page(_ path: String) async throws -> String {
        let isCounts = path == "/metrics"
        let wire = try await WireClient.connect(to: isCounts ? metrics ?? address : address, isCounts ? .tcp : .tls)
        defer { wire.close() }
        wire.send(Array("GET \(path) HTTP/1.1\r\nHost: relay\r\n\r\n".utf8))
        return String(decoding: try await wire.everything(), as: UTF8.self)
    }

    /// One of the relay's metrics.
    func metric(_ name: String) async throws -> Int {
        let prefix = "kith_\(name) "
        let line = try await page("/metrics").split(whereSeparator: \.isNewline).first { $0.hasPrefix(prefix) }
        return line.flatMap { Int($0.dropFirst(prefix.count)) } ?? -1
    }
}

/// A folder for one relay, with its data and output. It is deleted with its last reference.
struct RelayFolder: Sendable {
    private let folder = TemporaryFolder()

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    var url: URL { folder.url }
    var data: URL { url.appending(path: "data") }
    var output: URL { url.appending(path: "output") }
    var errors: URL { url.appending(path: "errors") }

    var errorText: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// Every file under the folder, with its content.
    func contents() throws -> [(name: String, bytes: [UInt8])] {
        let names = FileManager.default.enumerator(atPath: url.path)?.compactMap { $0 as? String } ?? []
        return names.sorted().compactMap { name in
            (try? Data(contentsOf: url.appending(path: name))).map { (name, Array($0)) }
        }
    }
}
