import KithWire

/// An input of an inbox.
enum InboxInput {
    case connected
    case disconnected
    case answered(InboxRequest, Result<Reply, RelayError>)
    case followStarted(UInt64, lastSeq: UInt64)
    case followed(FollowEvent)
    case followRefused(RelayError)
    /// The tree that the first letter of the queue needs has arrived.
    case treeFetched([UInt8])
    case treeLost
    case tick

    // From other machines of the profile.

    /// The inbox was made in this step.
    case made
    /// Closes the inbox on this device at once, and at the relay as soon as the relay is connected.
    case close
    /// Replaces a key package that was used.
    case replaceKeyPackage
    /// The device's certificate was renewed, and nobody could accept the old one.
    case certificateExpired
    /// The relay has registered the inbox's name for this profile.
    case nameRegistered
    /// Registers the inbox's name again if that is due.
    case renewName
    /// All inputs of the step were handled, so conversations may have changed.
    case stepEnds
}
