import TLSCodec

/// The number of an application component (draft-ietf-mls-extensions §"Component IDs").
public struct ComponentID: CodePoint {
    /// The number.
    public let rawValue: UInt16
    /// Creates an identifier from a number. Unknown numbers are allowed.
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// `last_resort_key_package`.
    public static let lastResortKeyPackage = ComponentID(rawValue: 4)
}

/// The content of the `app_data_dictionary` extension (draft-ietf-mls-extensions). The dictionary contains at most one value per
/// component. The values are in ascending order of the component numbers.
///
/// ```text
/// struct { ComponentID component_id; opaque data<V>; } ComponentData;
/// struct { ComponentData component_data<V>; } AppDataDictionary;
/// ```
public struct AppDataDictionary: Hashable, Sendable, TLSCodable {
    private var entries: [(id: ComponentID, data: [UInt8])] = []

    /// Creates an empty dictionary.
    public init() {}

    /// The data of a component; nil if the component is absent.
    public subscript(id: ComponentID) -> [UInt8]? {
        get { entries.first { $0.id == id }?.data }
        set {
            entries.removeAll { $0.id == id }
            guard let newValue else { return }
            let index = entries.firstIndex { $0.id.rawValue > id.rawValue } ?? entries.endIndex
            entries.insert((id, newValue), at: index)
        }
    }

    /// Reads a dictionary.
    ///
    /// - Throws: `TLSCodecError.unknownValue` if the components are not in strictly ascending order.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        var nested = try reader.readNested()
        while !nested.isAtEnd {
            let id = try nested.read(ComponentID.self)
            if let last = entries.last, last.id.rawValue >= id.rawValue {
                throw .unknownValue(field: "component_id", value: UInt64(id.rawValue))
            }
            entries.append((id, Array(try nested.readOpaque())))
        }
    }

    /// Writes the dictionary.
    public func encode(into writer: inout TLSWriter) {
        writer.writeNested { writer in
            for entry in entries {
                writer.write(entry.id)
                writer.writeOpaque(entry.data)
            }
        }
    }

    /// Whether two dictionaries have equal content.
    public static func == (left: AppDataDictionary, right: AppDataDictionary) -> Bool { left.encoded == right.encoded }
    /// Hashes the content.
    public func hash(into hasher: inout Hasher) { hasher.combine(encoded) }

    /// The dictionary in the form of an extension.
    public var asExtension: Extension { Extension(type: .appDataDictionary, data: encoded) }
}
