import KithWire
import MLS

/// Checks the key package of a person who has to be added. The key package came from a relay, which is not trusted.
struct KeyPackageCheck {
    private let target: AddTarget
    /// Whether the conversation is a conversation of two.
    private let isDirect: Bool
    private let account: AccountKey
    private let contacts: ContactBook
    private let environment: MLSEnvironment

    init(_ target: AddTarget, isDirect: Bool, in device: DeviceState) {
        (self.target, self.isDirect) = (target, isDirect)
        (account, contacts, environment) = (device.account, device.contacts, device.environment)
    }

    /// Checks a key package. A key package is accepted only if it is sealed for the person's inbox, and if the account in the
    /// inbox's address has certified the key package's device. The two conditions detect a key package that the relay has put
    /// in place of the person's own.
    func fetched(_ bytes: KeyPackageBytes) -> KeyPackageFetch {
        let inbox = target.inbox
        guard let opened = inbox.sealKey.open(bytes.bytes, .keyPackage, channel: inbox.channel.bytes),
            case .keyPackage(let keyPackage)? = try? MLSMessage.decode(opened),
            let certificate = keyPackage.leafNode.credential.deviceCertificate,
            certificate.accountKey.fingerprint == inbox.account
        else { return .failed(.wrongAccount) }
        // The lifetime is checked when the key package is used, because the result may change until then.
        var environment = environment
        if case .keyPackage(let lifetime) = keyPackage.leafNode.source { environment.now = lifetime.notBefore }
        do throws(MLSError) { try keyPackage.verify(in: environment) } catch { return .failed(.mls(error)) }
        if let error = conflict(certificate) { return .failed(error) }
        return .here(keyPackage, certificate)
    }

    /// Returns the reason why a person cannot be added; `nil` if there is none. A person cannot be added if the person's
    /// account is this device's own. A person who is not a contact yet cannot be added to a conversation of two if a contact
    /// already has the person's name. If the person has replaced a device by another device, the replaced device is added only
    /// with its own invite.
    private func conflict(_ certificate: DeviceCertificate) -> KithError? {
        if certificate.accountKey == account { return .inviteIsMine }
        if target.trust != .invite, let contact = contacts[certificate.accountKey],
            contact.formerDevices.contains(certificate.deviceID)
        {
            return .deviceReplaced(contact.name)
        }
        guard isDirect, contacts[certificate.accountKey] == nil else { return nil }
        let wanted = target.alias ?? certificate.name
        guard let other = contacts.named(wanted) else { return nil }
        return .keyChanged(
            contact: wanted, pinned: other.accountKey.fingerprint, found: certificate.accountKey.fingerprint)
    }
}
