import KithSupport
import KithWire
import MLS

/// The reason why a request failed. Nothing has changed, unless the case says so.
public enum KithError: Error, Hashable, Sendable {
    /// The folder has no profile.
    case noProfile
    /// The folder already has a profile.
    case profileExists
    /// The profile in the folder has this name, which differs from the given one.
    case hasOtherName(String)
    /// The passphrase does not open the vault.
    case wrongPassphrase
    /// Deriving the key from the passphrase needs this many bytes of memory, which are not available. The passphrase might be
    /// right.
    case noMemory(bytes: Int)
    /// The vault requires a passphrase, but none was given.
    case passphraseNeeded
    /// Another process has opened the profile. The value is its process id, if known.
    case inUse(pid: Int32?)
    /// The profile's files can't be read or written.
    case file(PrivateFileError)
    /// The vault can't be read or written.
    case store(StoreError)
    /// A backup can't be written or read.
    case backup(BackupError)
    /// A cryptographic or MLS operation failed.
    case mls(MLSError)
    /// The relay can't be reached, or refused a request.
    case relay(RelayConnectionError)
    /// The text is not a relay address.
    case notAnAddress(String)
    /// The key of the relay at an address has changed. Another server may be impersonating the relay, so nothing was sent.
    case relayKeyChanged(RelayAddress, known: RelayPin, found: RelayPin)
    /// Something that the request names does not exist. The value is its name or a description, such as `message 7`.
    case notFound(String)
    /// Another contact or the user already has this name.
    case nameTaken(String)
    /// The invite has expired.
    case inviteExpired
    /// This profile made the invite.
    case inviteIsMine
    /// The invite was used or revoked.
    case inviteUsed
    /// A key differs from the contact's pinned key. `pinned` and `found` are the fingerprints of the two keys.
    case keyChanged(contact: String, pinned: AccountFingerprint, found: AccountFingerprint)
    /// This device's clock or the relay's is wrong, so the new invite or its keys would have a wrong date.
    case wrongClock(ClockDifference)
    /// The person's key package is not valid now. The request stays pending: the person is added as soon as the key package
    /// becomes valid, or the person's device deposits a valid one. The second value is the clock difference, if this device's
    /// clock seems wrong.
    case keyPackageNotCurrent(String, clockDoubt: ClockDifference?)
    /// The key package that the relay returned for an inbox does not belong to the inbox's account.
    case wrongAccount
    /// The contact's known address belongs to a device that the contact has replaced by another device. The value is the
    /// contact's name.
    case deviceReplaced(String)
    /// The name at the relay belongs to another person.
    case nameHeld
    /// Nobody has registered the name at the relay.
    case nameUnknown
    /// The contact's address for new conversations is unknown. The second value is the reason.
    case notReachable(String, NoAddressReason)
    /// The user has blocked the contact with this name.
    case blocked(String)
    /// The state of the conversation does not allow the request.
    case conversation(ConversationStatus)
    /// The relay has shown different logs to members. Nothing is sent until the user decides.
    case suspect
    /// The text is empty or only white space.
    case blankText
    /// The text contains a NUL.
    case notText
    /// The name or title is empty or only white space.
    case blankName
    /// The text, name or file is too long. The limit is in bytes.
    case tooLong(limit: Int)
    /// A duration is zero, negative, or longer than the limit.
    case duration(longest: Duration)
    /// The request breaks a rule of membership.
    case membership(MembershipProblem)
    /// Files cannot be sent or received.
    case files(FileProblem)
    /// The message can't be changed in this way.
    case message(MessageProblem)
    /// A cursor cannot be used.
    case cursor(CursorError)
    /// The profile was closed before the request was finished.
    case closed

    /// The reason why a contact's address is unknown.
    public enum NoAddressReason: Hashable, Sendable {
        /// There is a conversation of two, but the contact's device has not yet sent its address in it.
        case notYet
        /// The contact has begun a conversation that the user has not accepted.
        case pending
        /// This profile was restored from a backup, and backups contain no addresses.
        case restored
        /// The user has already sent the contact a private request, and the contact has not accepted it.
        case asked
        /// There is no conversation of two with the contact.
        case never
    }
}

/// The reason why a message can't be changed.
public enum MessageProblem: Hashable, Sendable {
    /// Another person has written the message, so the user may neither edit nor delete it for everyone.
    case notMine
    /// The message is not a text.
    case notAText
    /// A reaction has to be one emoji or one other character.
    case notAReaction
}

/// The reason why a cursor can't be used.
public enum CursorError: Hashable, Sendable {
    /// The name must be a single line of at most this many bytes, without spaces at its ends.
    case name(limit: Int)
    /// The profile already has the maximum number of cursors. Delete a cursor first.
    case tooMany(limit: Int)
    /// The stored cursor with this name is damaged. The cursor can be deleted, but a new one may deliver messages again.
    case damaged(String)
    /// Another reader now uses the cursor with this name.
    case takenOver(String)
}
