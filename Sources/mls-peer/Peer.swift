import Foundation
import KithSupport
import MLS

/// Reads JSON objects from standard input, one per line. Answers each object with one JSON object (see `Interop/README.md`).
@main
enum MLSPeer {
    static func main() {
        guard let configuration = configuration(CommandLine.arguments.dropFirst()) else {
            FileHandle.standardError.write(Data("usage: mls-peer [--maximum-lifetime SECONDS|none]\n".utf8))
            exit(2)
        }
        var peer = Peer(configuration)
        while let line = readLine(strippingNewline: true) {
            let answer: [String: Any]
            do {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                guard let request = object as? [String: Any] else { throw PeerError("not an object") }
                answer = try peer.answer(Request(fields: request)).merging(["ok": true]) { old, _ in old }
            } catch {
                answer = ["ok": false, "error": String(describing: error)]
            }
            let data = (try? JSONSerialization.data(withJSONObject: answer, options: [.sortedKeys])) ?? Data("{}".utf8)
            FileHandle.standardOutput.write(data + Data("\n".utf8))
        }
    }

    /// Parses the arguments; `nil` if they are invalid.
    private static func configuration(_ arguments: ArraySlice<String>) -> MLSConfiguration? {
        var configuration = MLSConfiguration()
        var rest = arguments
        while let option = rest.popFirst() {
            guard option == "--maximum-lifetime", let value = rest.popFirst(),
                let lifetime = value == "none" ? .max : UInt64(value)
            else { return nil }
            configuration.maximumLifetime = lifetime
        }
        return configuration
    }
}

/// A request that is invalid or has failed.
struct PeerError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A request with typed access to its fields. A field with bytes is hexadecimal text.
struct Request {
    let fields: [String: Any]

    func optionalString(_ name: String) -> String? { fields[name] as? String }

    func string(_ name: String) throws -> String {
        guard let value = optionalString(name) else { throw PeerError("missing \(name)") }
        return value
    }

    func bytes(_ name: String) throws -> [UInt8] { try Self.bytes(string(name)) }

    func optionalBytes(_ name: String) throws -> [UInt8]? { try optionalString(name).map(Self.bytes) }

    func int(_ name: String) throws -> Int {
        guard let value = fields[name] as? NSNumber else { throw PeerError("missing \(name)") }
        return value.intValue
    }

    func flag(_ name: String, default value: Bool) -> Bool { (fields[name] as? NSNumber)?.boolValue ?? value }

    func byteStrings(_ name: String) throws -> [[UInt8]] {
        try (fields[name] as? [String] ?? []).map(Self.bytes)
    }

    func ints(_ name: String) -> [Int] { (fields[name] as? [NSNumber] ?? []).map(\.intValue) }

    private static func bytes(_ hex: String) throws -> [UInt8] {
        guard let bytes = Hex.decode(hex) else { throw PeerError("not hex") }
        return bytes
    }
}

extension Collection<UInt8> {
    var hex: String { Hex.encode(self) }
}
