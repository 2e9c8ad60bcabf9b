import TLSCodec

/// A member's claim about its identity (RFC 9420 §5.3). The ``AuthenticationService`` decides whether the claim is true.
public enum Credential: Hashable, Sendable, TLSCodable {
    /// An identity without any proof.
    case basic(identity: [UInt8])
    /// A chain of DER certificates. The first certificate belongs to the credential's owner. This module only transports and
    /// compares the certificates.
    case x509(certificates: [[UInt8]])

    /// The credential's type.
    public var type: CredentialType {
        switch self {
        case .basic: .basic
        case .x509: .x509
        }
    }

    /// Reads a credential.
    ///
    /// - Throws: `TLSCodecError.unknownValue` if the type is neither `basic` nor `x509`. A reader cannot skip a credential of
    ///   unknown type, because the encoding does not contain the credential's length. `TLSCodecError.tooLong` for more than 16
    ///   certificates or more than 64 KiB of certificates.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        switch try reader.read(CredentialType.self) {
        case .basic: self = .basic(identity: Array(try reader.readOpaque()))
        case .x509:
            var nested = try reader.readNested(limit: Limits.certificateBytes)
            var certificates: [[UInt8]] = []
            while !nested.isAtEnd {
                guard certificates.count < Limits.certificates else { throw .tooLong(limit: Limits.certificates) }
                certificates.append(Array(try nested.readOpaque()))
            }
            self = .x509(certificates: certificates)
        case let other: throw .unknownValue(field: "credential_type", value: UInt64(other.rawValue))
        }
    }

    /// Whether ``init(from:)`` accepts the encoded credential.
    var isReadable: Bool {
        guard case .x509(let certificates) = self else { return true }
        return certificates.count <= Limits.certificates
            && certificates.reduce(0) { $0 + $1.count + 4 } <= Limits.certificateBytes
    }

    /// Writes the credential.
    public func encode(into writer: inout TLSWriter) {
        writer.write(type)
        switch self {
        case .basic(let identity): writer.writeOpaque(identity)
        case .x509(let certificates):
            writer.writeNested { writer in for certificate in certificates { writer.writeOpaque(certificate) } }
        }
    }
}
