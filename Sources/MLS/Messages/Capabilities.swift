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
    /// The versions.
    public var versions: [ProtocolVersion]
    /// The cipher suites.
    public var cipherSuites: [CipherSuite]
    /// The extension types that are not default.
    public var extensions: [ExtensionType]
    /// The proposal types that are not default.
    public var proposals: [ProposalType]
    /// The credential types.
    public var credentials: [CredentialType]

    /// The features of this module, unless the application supports less or more.
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

    /// These capabilities, with a GREASE value added to each list that may hold one and has none yet (§13.5). All lists get the same value, so
    /// that the members of a large group have at most 15 different capabilities for each kind of client.
    package func greased(random: RandomSource = .system) -> Capabilities {
        let value = (UInt16(random.bytes(1)[0] % 15) << 4 | 0x0a) * 0x0101
        var greased = self
        greased.cipherSuites.grease(value)
        greased.extensions.grease(value)
        greased.proposals.grease(value)
        greased.credentials.grease(value)
        return greased
    }

    /// The same without GREASE values: the features that the client really supports (§13.5).
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

    /// Moves a reader past the five lists.
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

    /// Whether an extension type may be used with this client.
    public func supports(_ type: ExtensionType) -> Bool { type.isDefault || extensions.contains(type) }
    /// Whether a proposal type may be used with this client.
    public func supports(_ type: ProposalType) -> Bool { type.isDefault || proposals.contains(type) }
    /// Whether a credential type may be used with this client.
    public func supports(_ type: CredentialType) -> Bool { credentials.contains(type) }

    /// Whether all requirements are met (§11.1). Default types need not be listed.
    public func satisfies(_ required: RequiredCapabilities) -> Bool {
        satisfies(distinct: required.distinct)
    }

    /// The same for lists that name nothing twice, as ``RequiredCapabilities/distinct`` gives them.
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
    /// Whether the list holds all wanted elements, which are distinct. The time grows with the length of this list only, because
    /// a stranger may have chosen both.
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

    /// Takes the three lists.
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

    /// The types that must be listed to meet the requirements: without default types, and each type once.
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
