import TLSCodec

/// The features that a client supports (RFC 9420 §7.2).
///
/// ```text
/// struct {
///     ProtocolVersion versions<V>;
///     CipherSuite cipher_suites<V>;
///     ExtensionType extensions<V>;
///     ProposalType proposals<V>;
///     CredentialType credentials<V>;
/// } Capabilities;
/// ```
public struct Capabilities: Hashable, Sendable, TLSCodable {
    /// The supported protocol versions.
    public var versions: [ProtocolVersion]
    /// The supported cipher suites.
    public var cipherSuites: [CipherSuite]
    /// The supported extension types, without default types.
    public var extensions: [ExtensionType]
    /// The supported proposal types, without default types.
    public var proposals: [ProposalType]
    /// The supported credential types.
    public var credentials: [CredentialType]

    /// Creates capabilities. The default values are the features of this module. An application that supports more or
    /// fewer features gives its own values.
    public init(
        versions: [ProtocolVersion] = [.mls10], cipherSuites: [CipherSuite] = CipherSuite.supported,
        extensions: [ExtensionType] = [], proposals: [ProposalType] = [.selfRemove],
        credentials: [CredentialType] = [.basic]
    ) {
        self.versions = versions
        self.cipherSuites = cipherSuites
        self.extensions = extensions
        self.proposals = proposals
        self.credentials = credentials
    }

    /// Returns these capabilities with a GREASE value in each list except `versions` (§13.5). A list that already has a GREASE
    /// value stays unchanged. The call draws one of the 15 GREASE values for all lists. Equal capabilities of a large group's
    /// members therefore lead to at most 15 different results.
    package func greased(random: RandomSource = .system) -> Capabilities {
        let value = (UInt16(random.bytes(1)[0] % 15) << 4 | 0x0a) * 0x0101
        var greased = self
        greased.cipherSuites.grease(value)
        greased.extensions.grease(value)
        greased.proposals.grease(value)
        greased.credentials.grease(value)
        return greased
    }

    /// The capabilities without GREASE values (§13.5): the features that the client really supports.
    var withoutGREASE: Capabilities {
        Capabilities(
            versions: versions, cipherSuites: cipherSuites.filter { !$0.isGREASE },
            extensions: extensions.filter { !$0.isGREASE }, proposals: proposals.filter { !$0.isGREASE },
            credentials: credentials.filter { !$0.isGREASE })
    }

    /// Reads the five lists.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        versions = try reader.readVector()
        cipherSuites = try reader.readVector()
        extensions = try reader.readVector()
        proposals = try reader.readVector()
        credentials = try reader.readVector()
    }

    /// Moves a reader behind the five lists.
    static func skip(_ reader: inout TLSReader) throws(TLSCodecError) {
        for _ in 0..<5 { _ = try reader.readOpaque() }
    }

    /// Writes the five lists.
    public func encode(into writer: inout TLSWriter) {
        writer.writeVector(versions)
        writer.writeVector(cipherSuites)
        writer.writeVector(extensions)
        writer.writeVector(proposals)
        writer.writeVector(credentials)
    }

    /// Whether the client supports an extension type.
    public func supports(_ type: ExtensionType) -> Bool { type.isDefault || extensions.contains(type) }
    /// Whether the client supports a proposal type.
    public func supports(_ type: ProposalType) -> Bool { type.isDefault || proposals.contains(type) }
    /// Whether the client supports a credential type.
    public func supports(_ type: CredentialType) -> Bool { credentials.contains(type) }

    /// Whether the client meets all requirements (§11.1). A required default type needs no entry in the capabilities.
    public func satisfies(_ required: RequiredCapabilities) -> Bool {
        satisfies(distinct: required.distinct)
    }

    /// Whether the client meets all requirements (§11.1). `required` must have the form of ``RequiredCapabilities/distinct``: no
    /// default types and no repetitions.
    func satisfies(distinct required: RequiredCapabilities) -> Bool {
        extensions.containsAll(required.extensions) && proposals.containsAll(required.proposals)
            && credentials.containsAll(required.credentials)
    }
}

extension Array where Element: CodePoint {
    fileprivate mutating func grease(_ value: UInt16) {
        if !contains(where: \.isGREASE) { append(Element(rawValue: value)) }
    }
}

extension Array where Element: Hashable {
    /// Whether this array contains every element of `wanted`. `wanted` must not contain an element twice. The time grows only
    /// with the length of this array, so the call is fast even if a stranger has chosen both arrays.
    func containsAll(_ wanted: [Element]) -> Bool {
        guard wanted.count <= count else { return false }
        guard wanted.count > 8 else { return wanted.allSatisfy { contains($0) } }
        let all = Set(self)
        return wanted.allSatisfy { all.contains($0) }
    }
}

/// The content of the `required_capabilities` extension (RFC 9420 §11.1).
public struct RequiredCapabilities: Hashable, Sendable, TLSCodable {
    /// The extension types that every member must support.
    public var extensions: [ExtensionType]
    /// The proposal types that every member must support.
    public var proposals: [ProposalType]
    /// The credential types that every member must support.
    public var credentials: [CredentialType]

    /// Creates requirements from the three lists.
    public init(
        extensions: [ExtensionType] = [], proposals: [ProposalType] = [], credentials: [CredentialType] = []
    ) {
        self.extensions = extensions
        self.proposals = proposals
        self.credentials = credentials
    }

    /// Reads the three lists.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        extensions = try reader.readVector()
        proposals = try reader.readVector()
        credentials = try reader.readVector()
    }

    /// The requirements without default types and without repetitions. A member meets the requirements if its capabilities
    /// contain every type in the result.
    var distinct: RequiredCapabilities {
        RequiredCapabilities(
            extensions: Array(Set(extensions.lazy.filter { !$0.isDefault })),
            proposals: Array(Set(proposals.lazy.filter { !$0.isDefault })), credentials: Array(Set(credentials)))
    }

    /// Writes the three lists.
    public func encode(into writer: inout TLSWriter) {
        writer.writeVector(extensions)
        writer.writeVector(proposals)
        writer.writeVector(credentials)
    }
}
