import KithWire
import MLS

/// The fetches of the key packages of people who are to be added to a conversation. Each fetch is identified by the person's
/// inbox.
struct KeyPackageFetches {
    private var fetches: [ChannelID: KeyPackageFetch] = [:]
    /// Inboxes whose key package is not valid now by this device's clock.
    private var held: [ChannelID: HeldKeyPackage] = [:]

    /// The state of a fetch; `nil` if there is none.
    subscript(_ inbox: ChannelID) -> KeyPackageFetch? { fetches[inbox] }

    func isUnderWay(_ inbox: ChannelID) -> Bool { if case .asked? = fetches[inbox] { true } else { false } }

    /// Whether the inbox's key package was invalid when it was last checked.
    func isHeld(_ inbox: ChannelID) -> Bool { held[inbox] != nil }

    /// Returns the next time at which a key package that was not valid on arrival is checked again, in milliseconds; see
    /// ``Clocks/now``. `nil` if the inbox's key package waits for no check. The result is also `nil` while a replacement is
    /// requested, because the arrival of the replacement wakes the conversation.
    func heldUntil(_ inbox: ChannelID) -> UInt64? {
        guard case .here? = fetches[inbox] else { return nil }
        return held[inbox]?.againAt
    }

    mutating func didAsk(_ relay: RelayID, for inbox: ChannelID) { fetches[inbox] = .asked(relay) }

    /// Ends a fetch, because the key package has arrived or is not available.
    mutating func didEnd(_ inbox: ChannelID, _ fetch: KeyPackageFetch) { fetches[inbox] = fetch }

    /// Forgets a fetch, so that the key package is requested again.
    mutating func forget(_ inbox: ChannelID) { fetches[inbox] = nil }

    /// Notes that the inbox's key package, which was not valid before, is valid now.
    mutating func isValid(_ inbox: ChannelID) { held[inbox] = nil }

    /// Forgets an inbox, because its owner will no longer be added.
    mutating func remove(_ inbox: ChannelID) {
        fetches[inbox] = nil
        held[inbox] = nil
    }

    /// Forgets the fetches on a connection that has ended.
    mutating func didDisconnect(_ relay: RelayID) {
        fetches = fetches.filter { if case .asked(relay) = $0.value { false } else { true } }
    }

    /// Notes that the inbox's key package is not valid now.
    ///
    /// - Returns: `true` if the key package was already known not to be valid and the wait until the next check is over.
    mutating func hold(_ inbox: ChannelID, at now: UInt64) -> Bool {
        var wait = held[inbox] ?? HeldKeyPackage(againAt: now + ClientLimits.keyPackageRetryMs)
        let isAgain = wait.againAt <= now
        if isAgain {
            wait.delayMs = min(ClientLimits.clockRecheckMs, 2 * wait.delayMs)
            wait.againAt = now + wait.delayMs
        }
        held[inbox] = wait
        return isAgain
    }
}

/// The state of a fetch of a person's key package.
enum KeyPackageFetch {
    case asked(RelayID)
    case here(KeyPackage, DeviceCertificate)
    case failed(KithError)
}

/// A key package that was not valid when it arrived. If this device's clock was wrong, the key package is used as soon as it is
/// valid. If the owner's clock was wrong, only a new key package helps, so this device requests further key packages, with
/// pauses, until the owner has deposited a valid one.
private struct HeldKeyPackage {
    /// The time of the next check of the key package, in milliseconds; see ``Clocks/now``.
    var againAt: UInt64
    /// The length of the current wait, in milliseconds.
    var delayMs = ClientLimits.keyPackageRetryMs
}
