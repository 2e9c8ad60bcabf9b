import KithSupport
import KithWire
import MLS

/// The reason why a request failed. Nothing has changed, unless the case says so.
public enum KithError: Error, Hashable, Sendable {
    /// There is no profile in that folder yet.
    case noProfile
    /// There is a profile in that folder already.
    case profileExists
    /// The profile in that folder was made with this name, not with the given one.
    case hasOtherName(String)
    /// The passphrase does not open the vault.
    case wrongPassphrase
    /// There is not enough memory to derive the key from the passphrase, which takes this many bytes. The passphrase may be
    /// right.
    case noMemory(bytes: Int)
    /// The vault needs a passphrase, and none was given.
    case passphraseNeeded
    /// Another process has the profile open. Its process id, if known.
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
    /// The relay at an address has a different key than before. Somebody may be impersonating it; nothing was sent.
    case relayKeyChanged(RelayAddress, known: RelayPin, found: RelayPin)
    /// Nothing has that name here.
    case notFound(String)
    /// Another contact or the user has that name here.
    case nameTaken(String)
    /// The invite has expired.
    case inviteExpired
    /// This profile made the invite.
    case inviteIsMine
    /// The invite was used or withdrawn.
    case inviteUsed
    /// A key differs from the contact's pinned key. Holds both fingerprints.
    case keyChanged(contact: String, pinned: AccountFingerprint, found: AccountFingerprint)
    /// This device's clock or the relay's is wrong, so that the new invite or its keys would have a wrong date.
    case wrongClock(ClockDifference)
    /// The person's key package is not valid now. The person is added without another call, once the key package is valid or
    /// their device has left new ones. Holds the clock difference if this device's clock seems wrong.
    case keyPackageNotCurrent(String, clockDoubt: ClockDifference?)
    /// The key package belongs to another account than the inbox.
    case wrongAccount
    /// Another person holds that name at the relay.
    case nameHeld
    /// No person holds that name at the relay.
    case nameUnknown
    /// The contact's address for new conversations is unknown, for this reason.
    case notReachable(String, NoAddressReason)
    /// The state of the conversation does not allow it.
    case conversation(ConversationStatus)
    /// The relay showed members different logs. Sending waits for the user's decision.
    case suspect
    /// The text is empty or only white space.
    case blankText
    /// The text contains a NUL.
    case notText
    /// The text, name or file is too long; the limit in bytes.
    case tooLong(limit: Int)
    /// A duration is zero, negative, or longer than this.
    case duration(longest: Duration)
    /// A rule of membership does not allow it.
    case membership(MembershipProblem)
    /// A cursor can't be used.
    case cursor(CursorError)
    /// The profile was closed before the request was finished.
    case closed

    /// The reason why a contact's address is unknown.
    public enum NoAddressReason: Hashable, Sendable {
        /// There is a conversation of two, and the contact's device has not sent its address there yet.
        case notYet
        /// The contact began a conversation that the user has not accepted.
        case pending
        /// This profile was restored from a backup, and backups hold no addresses.
        case restored
        /// There is no conversation of two with the contact.
        case never
    }
}

/// The reason why a cursor can't be used.
public enum CursorError: Hashable, Sendable {
    /// The name must be one line of at most this many bytes, without space at its ends.
    case name(limit: Int)
    /// The profile already has this many cursors. Delete one first.
    case tooMany(limit: Int)
    /// The stored cursor with this name is damaged. It can be deleted, but a new cursor may deliver messages again.
    case damaged(String)
    /// Another reader uses the cursor with this name now.
    case takenOver(String)
}
