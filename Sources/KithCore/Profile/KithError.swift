import KithSupport
import KithWire
import MLS

/// Why something that was asked for could not be done. Nothing has changed then, unless the case says so.
public enum KithError: Error, Hashable, Sendable {
    /// There is no profile in that folder yet.
    case noProfile
    /// There is a profile in that folder already.
    case profileExists
    /// The profile in that folder was made with this name, and not with the one that was given.
    case hasOtherName(String)
    /// The passphrase does not open the vault.
    case wrongPassphrase
    /// There is not this much memory for making a key from the passphrase, in bytes. The passphrase may be right.
    case noMemory(bytes: Int)
    /// The vault wants a passphrase and none was given.
    case passphraseNeeded
    /// Another process has the profile, with this process id if it is known.
    case inUse(pid: Int32?)
    /// The profile's files can't be read or written.
    case file(PrivateFileError)
    /// The vault can't be read or written.
    case store(StoreError)
    /// A backup can't be written or read.
    case backup(BackupError)
    /// A library of cryptography, or MLS, refuses.
    case mls(MLSError)
    /// The relay can't be reached, or says no.
    case relay(RelayConnectionError)
    /// The text is no address of a relay.
    case notAnAddress(String)
    /// The relay at an address has another key than before. Somebody may be posing as it; nothing was sent.
    case relayKeyChanged(RelayAddress, known: RelayPin, found: RelayPin)
    /// Nobody and nothing goes by that name here.
    case notFound(String)
    /// The name is taken here.
    case nameTaken(String)
    /// The invite is over.
    case inviteExpired
    /// The invite is this profile's own.
    case inviteIsMine
    /// The invite was used, or withdrawn.
    case inviteUsed
    /// The key at hand is not the contact's pinned one: both fingerprints.
    case keyChanged(contact: String, pinned: AccountFingerprint, found: AccountFingerprint)
    /// This device's clock or the relay's is wrong, and what was to be made would bear a wrong date.
    case wrongClock(ClockDifference)
    /// The key package of the person is not valid now. They are added once it is, or once their device has left other
    /// keys; nothing has to be done for that. With the difference, if this device's clock seems to be the wrong one.
    case keyPackageNotCurrent(String, clockDoubt: ClockDifference?)
    /// The key package is not from the account that it should be from.
    case wrongAccount
    /// Another person holds that name at the relay.
    case nameHeld
    /// Nobody holds that name at the relay.
    case nameUnknown
    /// The contact's device gave no address for new conversations, and why it did not.
    case notReachable(String, NoAddressReason)
    /// The conversation does not take that now.
    case conversation(ConversationStatus)
    /// The relay showed different logs; sending waits for a decision.
    case suspect
    /// The text has nothing in it but white space.
    case blankText
    /// The text has a NUL in it.
    case notText
    /// The text, name or file is too long; the limit in bytes.
    case tooLong(limit: Int)
    /// A length of time is none, negative, or longer than this.
    case duration(longest: Duration)
    /// The members of the conversation do not allow it.
    case membership(MembershipProblem)
    /// A cursor can't be used.
    case cursor(CursorError)
    /// It was given up because the profile was closed.
    case closed

    /// Why there is no address of a contact.
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

/// Why a cursor can't be used.
public enum CursorError: Hashable, Sendable {
    /// The name must have one line of at most this many bytes, without space at its ends.
    case name(limit: Int)
    /// The profile has this many cursors already; one has to be deleted first.
    case tooMany(limit: Int)
    /// Something that is stored of the cursor with this name is damaged. To begin it anew could repeat what was done; it can be deleted.
    case damaged(String)
    /// Another reader uses the cursor with this name now.
    case takenOver(String)
}
