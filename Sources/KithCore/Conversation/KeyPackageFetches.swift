import KithWire
import MLS

/// The key packages of those who are to be added to a conversation, by their inboxes.
struct KeyPackageFetches {
    private var fetches: [ChannelID: KeyPackageFetch] = [:]
    /// Inboxes whose key package is not valid now, by this device's clock.
    private var held: [ChannelID: HeldKeyPackage] = [:]

    /// The state of a fetch; `nil` if none was begun.
    subscript(_ inbox: ChannelID) -> KeyPackageFetch? { fetches[inbox] }

    func isUnderWay(_ inbox: ChannelID) -> Bool { if case .asked? = fetches[inbox] { true } else { false } }

    /// Whether a key package of the inbox was not valid when it came.
    func isHeld(_ inbox: ChannelID) -> Bool { held[inbox] != nil }

    /// When to look again at a key package that was not valid when it came, in milliseconds; `nil` if there is none, or another was
    /// asked for: that wakes the conversation when it comes.
    func heldUntil(_ inbox: ChannelID) -> UInt64? {
        guard case .here? = fetches[inbox] else { return nil }
        return held[inbox]?.againAt
    }

    /// A relay is asked for a key package.
    mutating func didAsk(_ relay: RelayID, for inbox: ChannelID) { fetches[inbox] = .asked(relay) }

    /// A key package came, or can't be had.
    mutating func didEnd(_ inbox: ChannelID, _ fetch: KeyPackageFetch) { fetches[inbox] = fetch }

    /// Is to be asked for anew.
    mutating func forget(_ inbox: ChannelID) { fetches[inbox] = nil }

    /// A key package that came before is valid now.
    mutating func isValid(_ inbox: ChannelID) { held[inbox] = nil }

    /// Nobody is to be added by the inbox any more.
    mutating func giveUp(_ inbox: ChannelID) {
        fetches[inbox] = nil
        held[inbox] = nil
    }

    /// A connection is over: key packages that were asked for there will not come.
    mutating func didDisconnect(_ relay: RelayID) {
        fetches = fetches.filter { if case .asked(relay) = $0.value { false } else { true } }
    }

    /// Waits with a key package that is not valid now.
    ///
    /// - Returns: whether it was waited for before, and that time is over.
    mutating func hold(_ inbox: ChannelID, at now: UInt64) -> Bool {
        var wait = held[inbox] ?? HeldKeyPackage(againAt: now + ClientLimits.keyPackagePatienceMs)
        let isAgain = wait.againAt <= now
        if isAgain {
            wait.patienceMs = min(ClientLimits.clockPatienceMs, 2 * wait.patienceMs)
            wait.againAt = now + wait.patienceMs
        }
        held[inbox] = wait
        return isAgain
    }
}

/// States on the way to a person's key package.
enum KeyPackageFetch {
    case asked(RelayID)
    case here(KeyPackage, DeviceCertificate)
    case failed(KithError)
}

/// A key package that came and is not valid now. It is used once it is valid: this device's clock may be wrong. If its owner's
/// was, another is asked for now and then, until the owner has left one.
private struct HeldKeyPackage {
    /// When to look again, in milliseconds.
    var againAt: UInt64
    /// The wait after this try, in milliseconds.
    var patienceMs = ClientLimits.keyPackagePatienceMs
}
