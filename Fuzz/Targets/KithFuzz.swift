// One program for all fuzz targets, so that everything is compiled and linked once. KITH_FUZZ_TARGET names the target; the
// arguments are libFuzzer's, which has the program's `main`. `KithFuzz seeds FOLDER` writes first inputs for every target.

import Foundation

/// What a target does with one input. It stops the process where something does not hold.
typealias FuzzTarget = @Sendable ([UInt8]) -> Void

private let targets: [String: FuzzTarget] = [
    "codec": fuzzCodec,
    "client-frame": fuzzClientFrame,
    "relay-frame": fuzzRelayFrame,
    "websocket": fuzzWebSocket,
    "name-record": fuzzNameRecord,
    "classic": fuzzClassic,
    "upgrade": fuzzUpgrade,
    "relay-text": fuzzRelayText,
    "content": fuzzContent,
    "invite": fuzzInvite,
    "letters": fuzzLetters,
    "vault-records": fuzzVaultRecords,
    "backup": fuzzBackup,
    "mls-decoders": fuzzMLSDecoders,
    "mls-process": fuzzMLSProcess,
]

private let target = targets[ProcessInfo.processInfo.environment["KITH_FUZZ_TARGET"] ?? ""]

/// Called by libFuzzer before everything else.
@_cdecl("LLVMFuzzerInitialize")
func initialize(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
    let words = (0..<Int(argumentCount.pointee)).compactMap { arguments.pointee[$0].map { String(cString: $0) } }
    if words.count == 3, words[1] == "seeds" {
        do { try writeSeeds(to: URL(filePath: words[2])) } catch { fatalError("no seeds: \(error)") }
        exit(0)
    }
    if target == nil {
        print(targets.keys.sorted().joined(separator: "\n"))
        exit(64)
    }
    return 0
}

/// Called by libFuzzer for every input.
@_cdecl("LLVMFuzzerTestOneInput")
func runOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    target?(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
