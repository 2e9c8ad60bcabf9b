import ArgumentParser
import KithClient
import KithWire

/// A type of values on the command line. The type can explain why a text is not a valid value.
protocol ReadableValue: ExpressibleByArgument {
    /// Explains the valid form of a value, and the mistake in this text.
    static func problem(with text: String) -> String
}

extension ReadableValue {
    /// Reads a value.
    ///
    /// - Throws: ``Mistake``. The argument parser appends the mistake's text to its own message.
    @Sendable static func read(_ text: String) throws -> Self {
        guard let value = Self(argument: text) else { throw Mistake(description: problem(with: text)) }
        return value
    }
}

/// The reason why a text is not a valid value.
struct Mistake: Error, CustomStringConvertible {
    let description: String
}

extension RelayAddress: ReadableValue {
    static func problem(with text: String) -> String {
        if !text.contains(":") { return "the port is missing; write HOST:PORT" }
        let port = text.split(separator: ":").last.flatMap { Int($0) }
        guard let port, (1...65_535).contains(port) else { return "write HOST:PORT, with a port from 1 to 65535" }
        return "write HOST:PORT, with an IPv6 address in brackets"
    }
}

extension ListenAddress: ReadableValue {
    static func problem(with text: String) -> String {
        "\(RelayAddress.problem(with: text)); port 0 takes a free one"
    }
}

extension HostAddress: ReadableValue {
    static func problem(with text: String) -> String { "write HOST or HOST:PORT, with a port from 1 to 65535" }
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
        "write a number and its unit, as in 90s, 30m, 12h or 7d; at most a century"
    }
}
