// One program for all fuzz targets, so that everything is compiled and linked once. KITH_FUZZ_TARGET names the target; all
// arguments are libFuzzer's. `KithFuzz seeds FOLDER` writes the first inputs of every target.

import Foundation

/// libFuzzer as a library (`FuzzerDriver.cpp`). It keeps its own `main` out when there is one already.
@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// What a target does with one input. It stops the process where something does not hold.
typealias FuzzTarget = @Sendable ([UInt8]) -> Void

@main
enum KithFuzz {
    private static let targets: [String: FuzzTarget] = [
        "codec": fuzzCodec,
        "client-frame": fuzzClientFrame,
        "relay-frame": fuzzRelayFrame,
        "websocket": fuzzWebSocket,
        "name-record": fuzzNameRecord,
        "classic": fuzzClassic,
        "upgrade": fuzzUpgrade,
        "relay-text": fuzzRelayText,
    ]

    private static let target = targets[ProcessInfo.processInfo.environment["KITH_FUZZ_TARGET"] ?? ""]

    static func main() throws {
        if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "seeds" {
            return try writeSeeds(to: URL(filePath: CommandLine.arguments[2]))
        }
        guard target != nil else {
            print(targets.keys.sorted().joined(separator: "\n"))
            exit(64)
        }
        var argumentCount = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        let status = runFuzzer(&argumentCount, &arguments) { bytes, count in
            target?(Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
        exit(status)
    }
}
