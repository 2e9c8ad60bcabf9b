import KithWire

/// An input of an inbox.
enum InboxInput {
    case connected
    case disconnected
    case answered(InboxRequest, Result<Reply, RelayError>)
    case followStarted(UInt64, lastSeq: UInt64)
    case followed(FollowEvent)
    case followRefused(RelayError)
    /// The tree for the first letter of the queue has arrived.
    case treeFetched([UInt8])
    case treeLost
    case tick

    // From other machines of the profile.

    /// The inbox was made in this step.
    case made
    /// Closes the inbox on this device at once. The relay closes the inbox as soon as the device is connected.
    case close
    /// Replaces a used key package.
    case replaceKeyPackage
    /// The device's certificate was renewed after it had expired, or because the user's name has changed. Key packages with the
    /// old certificate have to be replaced.
    case certificateExpired
    /// The relay has registered the inbox's name for this profile.
    case nameRegistered
    /// Registers the inbox's name again if a renewal is due.
    case renewName
    /// All inputs of the step were handled. Conversations may have changed.
    case stepEnds
}
