// One program for all fuzz targets, so that everything is compiled and linked once. KITH_FUZZ_TARGET names the target; the
// arguments are libFuzzer's. `KithFuzz seeds FOLDER` writes first inputs for every target.

import Foundation

/// The check that a target makes on one input. It stops the process if a condition does not hold.
typealias FuzzTarget = @Sendable ([UInt8]) -> Void

private let targets: [String: FuzzTarget] = [
    "codec": fuzzCodec,
    "blob-request": fuzzBlobRequest,
    "client-frame": fuzzClientFrame,
    "relay-frame": fuzzRelayFrame,
    "websocket": fuzzWebSocket,
    "name-record": fuzzNameRecord,
    "classic": fuzzClassic,
    "upgrade": fuzzUpgrade,
    "relay-text": fuzzRelayText,
    "content": fuzzContent,
    "invite": fuzzInvite,
    "picture": fuzzPicture,
    "files": fuzzFiles,
    "letters": fuzzLetters,
    "vault-records": fuzzVaultRecords,
    "backup": fuzzBackup,
    "mls-decoders": fuzzMLSDecoders,
    "mls-process": fuzzMLSProcess,
]

private let target = targets[ProcessInfo.processInfo.environment["KITH_FUZZ_TARGET"] ?? ""]

@main enum KithFuzz {
    static func main() {
        let words = CommandLine.arguments
        if words.count == 3, words[1] == "seeds" {
            do { try writeSeeds(to: URL(filePath: words[2])) } catch { fatalError("no seeds: \(error)") }
            exit(0)
        }
        if target == nil {
            print(targets.keys.sorted().joined(separator: "\n"))
            exit(64)
        }
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(
            runFuzzer(&count, &arguments) { bytes, count in
                target?(Array(UnsafeBufferPointer(start: bytes, count: count)))
                return 0
            })
    }
}

/// libFuzzer's own main loop: it takes its options from the arguments, and calls the last argument with every input.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ runOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32
