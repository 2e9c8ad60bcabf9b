import ArgumentParser
import KithClient
import KithWire

/// A value of the command line that can say what is wrong with a text.
protocol ReadableValue: ExpressibleByArgument {
    /// What such a value looks like, and what this text lacks.
    static func problem(with text: String) -> String
}

extension ReadableValue {
    /// Reads a value.
    ///
    /// - Throws: ``Mistake``, whose words the parser of arguments puts behind its own.
    @Sendable static func read(_ text: String) throws -> Self {
        guard let value = Self(argument: text) else { throw Mistake(description: problem(with: text)) }
        return value
    }
}

/// Why a text is no value.
struct Mistake: Error, CustomStringConvertible {
    let description: String
}

extension RelayAddress: ReadableValue {
    static func problem(with text: String) -> String {
        if !text.contains(":") { return "the port is missing; it is HOST:PORT" }
        let port = text.split(separator: ":").last.flatMap { Int($0) }
        guard let port, (1...65_535).contains(port) else { return "it is HOST:PORT, with a port from 1 to 65535" }
        return "it is HOST:PORT, with an IPv6 address in brackets"
    }
}

extension ListenAddress: ReadableValue {
    static func problem(with text: String) -> String {
        "\(RelayAddress.problem(with: text)); port 0 takes a free one"
    }
}

extension HostAddress: ReadableValue {
    static func problem(with text: String) -> String { "it is HOST or HOST:PORT, with a port from 1 to 65535" }
}

extension RelayPin: ReadableValue {
    static func problem(with text: String) -> String {
        let digits = text.filter { $0.isASCII && $0.isHexDigit }.count
        return
            "a key has 64 hexadecimal digits, and this has \(digits == text.count ? "\(digits)" : "other characters")"
    }
}

extension Name: ReadableValue {
    static func problem(with text: String) -> String {
        "a name at a relay has at most \(WireLimits.name) of the characters a-z, 0-9, '.', '_' and '-'"
    }
}

extension DurationArgument: ReadableValue {
    static func problem(with text: String) -> String {
        "a time is a number with s, m, h or d behind it, at most a century"
    }
}
