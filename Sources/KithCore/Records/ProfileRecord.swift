import MLS
import TLSCodec

/// The account and the device of a profile.
package struct ProfileRecord: Sendable {
    let account: AccountPrivateKey
    /// The user's name.
    private(set) var name: String
    let deviceID: [UInt8]
    let deviceName: String
    /// The key with which the device signs in its groups.
    let signer: SignaturePrivateKey
    /// The suite for the groups that this device creates, and for its key packages.
    let suite: CipherSuite
    private(set) var certificate: DeviceCertificate

    /// The suite with X-Wing, AES-256-GCM, SHA-384 and Ed25519.
    package static let defaultSuite = CipherSuite.xWingAES256SHA384Ed25519
    static let key = StoreKey(.profile, item: 0)

    /// Half of a new device certificate's lifetime, in seconds: ten years. The lifetime extends from ten years before the
    /// certificate's creation to ten years after it. The lifetime need not be short, because a lost device is removed from its
    /// groups. A clock that is wrong by less than ten years does no harm.
    private static let certificateSeconds: UInt64 = 10 * 366 * 24 * 3_600

    /// Creates a new device of an account.
    ///
    /// - Parameter now: the time of the device's clock, in milliseconds since 1970.
    init(
        account: AccountPrivateKey, name: String, deviceName: String, suite: CipherSuite = ProfileRecord.defaultSuite,
        now: UInt64, random: RandomSource
    ) throws(MLSError) {
        let signer = try SignaturePrivateKey(generatingFor: suite, random: random)
        let deviceID = random.bytes(16)
        self.account = account
        self.name = name
        self.deviceID = deviceID
        self.deviceName = deviceName
        self.signer = signer
        self.suite = suite
        certificate = try DeviceCertificate(
            account: account, name: name,
            device: DeviceCertificate.Device(id: deviceID, name: deviceName, signatureKey: signer.publicKey),
            lifetime: Lifetime(
                around: now / 1000, before: Self.certificateSeconds, after: Self.certificateSeconds))
    }

    /// Returns the profile with a certificate that is valid for longer; `nil` if that is not necessary. A new certificate is
    /// necessary if the current one covers less than five years before `now`, or less than five years after `now`. The new
    /// lifetime includes the old lifetime, in case this device's clock is wrong now.
    ///
    /// - Parameter now: the time of the device's clock, in milliseconds since 1970.
    func recertified(at now: UInt64) throws(MLSError) -> ProfileRecord? {
        let (old, half) = (certificate.lifetime, Self.certificateSeconds / 2)
        let needed = Lifetime(around: now / 1000, before: half, after: half)
        if old.contains(needed.notBefore), old.contains(needed.notAfter) { return nil }
        let new = Lifetime(around: now / 1000, before: Self.certificateSeconds, after: Self.certificateSeconds)
        var profile = self
        profile.certificate = try DeviceCertificate(
            account: account, name: name,
            device: DeviceCertificate.Device(id: deviceID, name: deviceName, signatureKey: signer.publicKey),
            lifetime: Lifetime(
                notBefore: min(old.notBefore, new.notBefore), notAfter: max(old.notAfter, new.notAfter)))
        return profile
    }

    /// Returns the profile with another name of the user. The certificate keeps its lifetime.
    func renamed(to name: String) throws(MLSError) -> ProfileRecord {
        var profile = self
        profile.name = name
        profile.certificate = try DeviceCertificate(
            account: account, name: name,
            device: DeviceCertificate.Device(id: deviceID, name: deviceName, signatureKey: signer.publicKey),
            lifetime: certificate.lifetime)
        return profile
    }

    /// The MLS client with which the device joins groups. Its capabilities contain one suite only, because a leaf's key belongs
    /// to one suite.
    var client: Client {
        Client(
            credential: .basic(identity: certificate.encoded), signer: signer,
            capabilities: Capabilities(cipherSuites: [suite]))
    }

    private static let version: UInt8 = 1

    /// The stored form.
    var encoded: [UInt8] {
        var writer = TLSWriter(capacity: 1024)
        writer.write(Self.version)
        writer.write(suite)
        account.bytes.withUnsafeBytes { writer.writeOpaque($0) }
        signer.bytes.withUnsafeBytes { writer.writeOpaque($0) }
        writer.write(certificate)
        return writer.bytes
    }

    /// Reads a stored profile.
    init(stored bytes: [UInt8]) throws(KithError) {
        do {
            var reader = TLSReader(bytes)
            let version = try reader.readUInt8()
            guard version == Self.version else { throw KithError.store(.version(UInt32(version))) }
            suite = try reader.read()
            account = try AccountPrivateKey(SecretBytes(try reader.readOpaque()))
            signer = try SignaturePrivateKey(SecretBytes(try reader.readOpaque()), suite: suite)
            certificate = try reader.read()
            try reader.expectEnd()
        } catch let error as KithError {
            throw error
        } catch {
            throw .store(.damaged(.profile))
        }
        name = certificate.name
        deviceID = certificate.deviceID
        deviceName = certificate.deviceName
    }

    /// Returns the first transaction of a new profile with a new account.
    ///
    /// - Parameter now: the time of the device's clock, in milliseconds since 1970.
    /// - Throws: ``KithError/tooLong(limit:)`` if a name is too long.
    package static func new(
        name: String, deviceName: String, suite: CipherSuite = ProfileRecord.defaultSuite, now: UInt64,
        random: RandomSource = .system
    ) throws(KithError) -> StoreTransaction {
        let account = try callingMLS { () throws(MLSError) in try AccountPrivateKey(random: random) }
        return try new(
            callingMLS { () throws(MLSError) in
                try ProfileRecord(
                    account: account, name: name, deviceName: deviceName, suite: suite, now: now, random: random)
            })
    }

    /// Returns the first transaction of a profile that is a further device of an existing account.
    ///
    /// - Parameters:
    ///   - deviceName: the name of the new device.
    ///   - identity: the account, with the user's name.
    ///   - now: the time of the device's clock, in milliseconds since 1970.
    /// - Throws: ``KithError/tooLong(limit:)`` if a name is too long.
    static func new(
        deviceName: String, of identity: (account: AccountPrivateKey, name: String), now: UInt64
    ) throws(KithError) -> StoreTransaction {
        try new(
            callingMLS { () throws(MLSError) in
                try ProfileRecord(
                    account: identity.account, name: identity.name, deviceName: deviceName, now: now,
                    random: .system)
            })
    }

    private static func new(_ profile: ProfileRecord) throws(KithError) -> StoreTransaction {
        guard max(profile.name.utf8.count, profile.deviceName.utf8.count) <= ClientLimits.personName else {
            throw .tooLong(limit: ClientLimits.personName)
        }
        var transaction = StoreTransaction()
        transaction.put(key, profile.encoded)
        return transaction
    }
}

extension Lifetime {
    /// Creates a lifetime from `now - before` to `now + after`. All three are in seconds, and `now` counts from 1970.
    init(around now: UInt64, before: UInt64, after: UInt64) {
        self.init(notBefore: now - min(now, before), notAfter: now.plus(after))
    }

    /// Creates the lifetime of a key package that is made at `now`, in seconds since 1970.
    init(ofKeyPackageMadeAt now: UInt64) {
        self.init(around: now, before: ClientLimits.keyPackageSecondsBefore, after: ClientLimits.keyPackageSeconds)
    }
}
