/// The address on which a relay listens: `HOST:PORT`, with an IPv6 address in brackets.
public struct RelayAddress: Hashable, Sendable, CustomStringConvertible {
    /// A host name in lower case, or an IP address without brackets.
    public let host: String
    /// The port, from 1 to 65,535.
    public let port: Int

    /// Reads an address in one of the forms `relay.example.org:4433`, `192.0.2.7:4433` and `[2001:db8::7]:4433`; `nil` for any
    /// other text.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            // An IPv6 address without brackets is ambiguous, because its last group could also be the port.
            return nil
        }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = Int(digits)
        else { return nil }
        self.init(host: String(host), port: port)
    }

    /// Creates an address; `nil` if the host contains a forbidden character, or if the port is out of range.
    public init?(host: String, port: Int) {
        guard (1...65_535).contains(port), (1...253).contains(host.utf8.count) else { return nil }
        // This check also keeps spaces and line breaks out of the file of known relays, and control characters away from the
        // terminal.
        guard
            host.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"): true
                default: false
                }
            })
        else { return nil }
        self.host = host.lowercased()
        self.port = port
    }

    /// The text that ``init(_:)`` reads.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
