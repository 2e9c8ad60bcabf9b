import Crypto

/// The number that two people compare to detect an attacker between them. The number has 60 digits. Both people see the same
/// number.
///
/// Each half consists of 30 digits for one account, where `key` is the account's key. First, `h = SHA-512("kith safety number v1"
/// || key)`. Then `h = SHA-512(h || key)` is computed 5,199 times. The first 30 bytes of `h` are six big-endian numbers of 40
/// bits. Each number, modulo 100,000, is written as five digits. The smaller half comes first.
public struct SafetyNumber: Hashable, Sendable, CustomStringConvertible {
    /// The 60 decimal digits.
    public let digits: String

    /// Computes the number of two accounts. The order of the accounts does not matter.
    public init(_ one: AccountKey, _ other: AccountKey) {
        digits = [Self.half(one), Self.half(other)].sorted().joined()
    }

    /// The digits in twelve groups of five.
    public var groups: [String] {
        let all = Array(digits)
        return stride(from: 0, to: all.count, by: 5).map { String(all[$0..<$0 + 5]) }
    }

    /// The groups with spaces between them.
    public var description: String { groups.joined(separator: " ") }

    /// Number of times that the hash is applied. The high number makes the search for a key with equal digits expensive.
    private static let repetitions = 5_200

    private static func half(_ key: AccountKey) -> String {
        var hash = Array(SHA512.hash(data: Array("kith safety number v1".utf8) + key.bytes))
        for _ in 1..<repetitions { hash = Array(SHA512.hash(data: hash + key.bytes)) }
        return (0..<6).map { index in
            let number = hash[index * 5..<index * 5 + 5].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 100_000
            let digits = String(number)
            return String(repeating: "0", count: 5 - digits.count) + digits
        }.joined()
    }
}
