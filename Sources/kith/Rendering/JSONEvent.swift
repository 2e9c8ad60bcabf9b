/// An event for programs: a JSON object. The field `event` has the event's name. The remaining fields have the event's content.
struct JSONEvent: Encodable, Sendable {
    let name: String
    private let content: any Encodable & Sendable

    /// Creates an event with the fields of a report.
    init(_ name: String, _ report: some Encodable & Sendable) {
        self.name = name
        content = report
    }

    /// Creates an event with the given fields. A field without a value is left out.
    init(_ name: String, _ fields: [String: JSONValue?] = [:]) {
        self.init(name, fields.compactMapValues { $0 } as [String: JSONValue])
    }

    private enum Key: CodingKey { case event }

    func encode(to encoder: any Encoder) throws {
        try content.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .event)
    }
}

/// The value of a field.
enum JSONValue: Codable, Hashable, Sendable {
    case number(Int64)
    case unsigned(UInt64)
    case text(String)
    case flag(Bool)

    /// Decodes an integer or a text. Throws an error if the value is neither an integer nor a text.
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int64.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .unsigned(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .flag(let flag): try container.encode(flag)
        }
    }
}
