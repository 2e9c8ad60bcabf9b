import Foundation
import KithSupport

@testable import MLS

/// A JSON value with the accessors that test vectors need. Reading a vector wrongly is a failed test, not a crash.
struct JSON {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    let value: Any?

    init(_ value: Any?) { self.value = value is NSNull ? nil : value }

    init(file: URL) throws {
        self.init(try JSONSerialization.jsonObject(with: Data(contentsOf: file)))
    }

    subscript(key: String) -> JSON { JSON((value as? [String: Any])?[key]) }

    var isNull: Bool { value == nil }

    func array() throws -> [JSON] {
        guard let array = value as? [Any] else { throw Missing(description: "not an array") }
        return array.map { JSON($0) }
    }

    func int() throws -> Int {
        guard let number = value as? NSNumber else { throw Missing(description: "not a number") }
        return number.intValue
    }

    func string() throws -> String {
        guard let string = value as? String else { throw Missing(description: "not a string") }
        return string
    }

    func bytes() throws -> [UInt8] {
        guard let bytes = Hex.decode(try string()) else { throw Missing(description: "not hex") }
        return bytes
    }

    func secret() throws -> SecretBytes { SecretBytes(try bytes()) }

    func suite() throws -> CipherSuite { CipherSuite(rawValue: UInt16(try self["cipher_suite"].int())) }
}
