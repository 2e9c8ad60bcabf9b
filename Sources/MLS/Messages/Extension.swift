import TLSCodec

/// `struct { ExtensionType extension_type; opaque extension_data<V>; } Extension;` (RFC 9420 §7.2, §13.4)
public struct Extension: Hashable, Sendable, TLSCodable {
    /// The extension's type.
    public let type: ExtensionType
    /// The extension's encoded content.
    public let data: [UInt8]

    /// Creates an extension from a type and its encoded content.
    public init(type: ExtensionType, data: [UInt8]) {
        self.type = type
        self.data = data
    }

    /// `required_capabilities` (§11.1).
    public static func requiredCapabilities(_ required: RequiredCapabilities) -> Extension {
        Extension(type: .requiredCapabilities, data: required.encoded)
    }

    /// `external_senders` (§12.1.8.1).
    public static func externalSenders(_ senders: [ExternalSender]) -> Extension {
        var writer = TLSWriter()
        writer.writeVector(senders)
        return Extension(type: .externalSenders, data: writer.bytes)
    }

    /// `application_id` (§5.3.3).
    public static func applicationID(_ identifier: [UInt8]) -> Extension {
        var writer = TLSWriter()
        writer.writeOpaque(identifier)
        return Extension(type: .applicationID, data: writer.bytes)
    }

    /// `external_pub` (§12.4.3.2).
    static func externalPub(_ key: HPKEPublicKey) -> Extension { Extension(type: .externalPub, data: key.encoded) }

    /// Reads an extension.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        type = try reader.read()
        data = Array(try reader.readOpaque())
    }

    /// Writes the extension.
    public func encode(into writer: inout TLSWriter) {
        writer.write(type)
        writer.writeOpaque(data)
    }
}

extension [Extension] {
    /// The content of the extension with a given type; nil if there is none.
    public subscript(type: ExtensionType) -> [UInt8]? { first { $0.type == type }?.data }

    /// Returns the list with an additional empty extension of the given GREASE type (§13.5). If the list already has an extension
    /// of any GREASE type, returns the list unchanged.
    func greased(_ type: ExtensionType) -> [Extension] {
        contains { $0.type.isGREASE } ? self : self + [Extension(type: type, data: [])]
    }

    /// Whether a type occurs twice. Lists of extensions must not contain a type twice (§13.4).
    var hasDuplicates: Bool { count > 1 && Set(map(\.type)).count != count }

    /// The decoded `required_capabilities`; nil if the extension is absent.
    func requiredCapabilities() throws(TLSCodecError) -> RequiredCapabilities? {
        guard let data = self[.requiredCapabilities] else { return nil }
        return try RequiredCapabilities(decoding: data)
    }

    /// The decoded `external_senders`; empty if the extension is absent.
    func externalSenders() throws(TLSCodecError) -> [ExternalSender] {
        guard let data = self[.externalSenders] else { return [] }
        var reader = TLSReader(data)
        let senders = try reader.readVector(of: ExternalSender.self, maximumCount: Limits.externalSenders)
        try reader.expectEnd()
        return senders
    }
}

extension TLSReader {
    /// Reads `Extension extensions<V>`.
    mutating func readExtensions() throws(TLSCodecError) -> [Extension] {
        try readVector(maximumCount: Limits.extensions)
    }

    /// Reads an `opaque x<V>` of at least ``Limits/shortestHash`` and at most ``Limits/hashLength`` bytes.
    mutating func readHash() throws(TLSCodecError) -> [UInt8] {
        let hash = try readOpaque(limit: Limits.hashLength)
        guard hash.count >= Limits.shortestHash else { throw .tooShort(minimum: Limits.shortestHash) }
        return Array(hash)
    }
}

/// `struct { SignaturePublicKey signature_key; Credential credential; } ExternalSender;` (RFC 9420 §12.1.8.1)
public struct ExternalSender: Hashable, Sendable, TLSCodable {
    /// The key with which the sender signs.
    public let signatureKey: SignaturePublicKey
    /// The sender's identity.
    public let credential: Credential

    /// Creates a sender from its two fields.
    public init(signatureKey: SignaturePublicKey, credential: Credential) {
        self.signatureKey = signatureKey
        self.credential = credential
    }

    /// Reads the two fields.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        signatureKey = try reader.read()
        credential = try reader.read()
    }

    /// Writes the two fields.
    public func encode(into writer: inout TLSWriter) {
        writer.write(signatureKey)
        writer.write(credential)
    }
}
