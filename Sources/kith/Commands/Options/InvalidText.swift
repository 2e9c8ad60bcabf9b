import Foundation

/// Finds arguments and environment variables that are not text. Without this check, each byte sequence that is not UTF-8 would
/// become a replacement character, so the program would send a wrong text or use a wrong file.
enum InvalidText {
    /// The environment variables that name files or folders.
    private static let variables = ["KITH_HOME", "KITH_PASSPHRASE_FILE", "XDG_DATA_HOME", "HOME"]

    /// Describes the first invalid argument or variable of this process; `nil` if all are text.
    static func problem() -> String? {
        let arguments = (1..<max(1, Int(CommandLine.argc))).map { CommandLine.unsafeArgv[$0] }
        return problem(
            arguments: arguments.map { $0.map(bytes) ?? [] },
            variables: variables.compactMap { name in getenv(name).map { (name, bytes($0)) } })
    }

    /// Describes the first invalid argument or variable; `nil` if all are text.
    static func problem(arguments: [[UInt8]], variables: [(name: String, value: [UInt8])]) -> String? {
        func isText(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }
        if let number = arguments.firstIndex(where: { !isText($0) }) {
            let start = String(decoding: arguments[number].prefix(40), as: UTF8.self)
            return "argument \(number + 1) is not text: it is not UTF-8 (\(start)); nothing was done"
        }
        return variables.first { !isText($0.value) }.map { "\($0.name) is not text: it is not UTF-8; nothing was done" }
    }

    private static func bytes(_ text: UnsafeMutablePointer<CChar>) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
}
