import KithWire
import MLS
import TLSCodec

/// A relay as a client uses it: the address, the key that the relay must have, and the pass if the relay requires one.
///
/// ```text
/// struct { opaque address<V>; opaque pin[32]; optional<opaque pass<V>> pass; } RelayPoint;
/// ```
public struct RelayPoint: Hashable, Sendable, TLSCodable {
    /// The relay's address.
    public let address: RelayAddress
    /// The key that the relay must have.
    public let pin: RelayPin
    /// The pass that the relay requires; `nil` for none.
    public let pass: RelayPass?

    /// Creates a relay from its parts.
    public init(address: RelayAddress, pin: RelayPin, pass: RelayPass? = nil) {
        self.address = address
        self.pin = pin
        self.pass = pass
    }

    /// Reads a relay.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        let text = try reader.readText(limit: 512)
        // A user may write an address in several ways, but only one of them is accepted here. So decoding and encoding returns
        // the same bytes.
        guard let address = RelayAddress(text), address.description == text else {
            throw .unknownValue(field: "RelayPoint.address", value: 0)
        }
        self.address = address
        guard let pin = RelayPin(Array(try reader.readBytes(32))) else { throw .truncated }
        self.pin = pin
        pass = try reader.readOptional()
    }

    /// Writes the relay.
    public func encode(into writer: inout TLSWriter) {
        writer.writeText(address.description)
        writer.writeBytes(pin.bytes)
        writer.writeOptional(pass)
    }
}

/// The address at which a person can be reached: an inbox channel, with the token and the key for putting a Welcome into it and
/// for taking a key package from it. Anyone who has the address can put a Welcome into the inbox and take a key package from
/// the inbox. So the owner gives the address to one person only, unless the inbox belongs to a reusable invite or a registered
/// name.
///
/// ```text
/// struct {
///     RelayPoint relay;
///     opaque channel[32];
///     opaque append_token[32];
///     opaque seal_key[32];         the key that seals key packages and Welcomes, so that the relay cannot read them
///     opaque account[32];          the fingerprint of the inbox's account
/// } InboxAddress;
/// ```
public struct InboxAddress: Hashable, Sendable, TLSCodable {
    /// The relay of the inbox.
    public let relay: RelayPoint
    /// The inbox's channel.
    public let channel: ChannelID
    let appendToken: Token
    let sealKey: InboxSealKey
    /// The account whose key packages the inbox must contain.
    public let account: AccountFingerprint

    init(
        relay: RelayPoint, channel: ChannelID, appendToken: Token, sealKey: InboxSealKey, account: AccountFingerprint
    ) {
        self.relay = relay
        self.channel = channel
        self.appendToken = appendToken
        self.sealKey = sealKey
        self.account = account
    }

    /// Reads an address.
    public init(from reader: inout TLSReader) throws(TLSCodecError) {
        relay = try reader.read()
        channel = try reader.read()
        appendToken = try reader.read()
        sealKey = try reader.read()
        account = try reader.read()
    }

    /// Writes the address.
    public func encode(into writer: inout TLSWriter) {
        writer.write(relay)
        writer.write(channel)
        writer.write(appendToken)
        writer.write(sealKey)
        writer.write(account)
    }

    /// Compares relay, channel and account. The append token and the seal key need not be compared, because a person who knows
    /// the channel of an inbox also knows both.
    public static func == (left: InboxAddress, right: InboxAddress) -> Bool {
        left.relay == right.relay && left.channel == right.channel && left.account == right.account
    }

    /// Hashes the channel.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(channel)
    }
}
