/// The limits of the client's state machines, each with its reason. `KithClient` holds the limits of connections and of the
/// vault.
public enum ClientLimits {
    /// The longest name of a person or a device, in bytes: room for any name, but not for a text.
    public static let personName = 128

    /// The longest name of a conversation, in bytes.
    public static let title = 256

    /// The longest text of a message, in bytes: it fits the largest padded content. `kith send` splits longer texts.
    public static let text = 64 << 10

    /// The largest padded content, in bytes: it fits an entry together with the message's overhead.
    package static let paddedContent = 250 << 10

    /// The longest lifetime of an invite, in seconds: ten years.
    package static let inviteSeconds: UInt64 = 10 * 366 * 24 * 3_600

    /// The longest line that is read as an invite, in bytes. An invite has about 300.
    public static let invite = 4 << 10

    /// The longest commit that stands in the log itself, in bytes: it fits an entry with room to spare. A longer commit, of a
    /// large group in which few members have renewed their keys, travels beside the log in a parcel.
    package static let turn = 192 << 10

    /// The longest Welcome, in bytes: sealed, it fits an entry.
    package static let welcome = 248 << 10

    /// The longest parcel, in bytes: the ratchet tree of 10,000 members.
    package static let parcel = 64 << 20

    /// The longest wait for the tree or the log of a group that the device was invited to, in milliseconds: a day.
    package static let parcelMs: UInt64 = 24 * 3_600_000

    /// The shortest wait for a tree after a restart, in milliseconds: enough for one retry.
    package static let parcelAgainMs: UInt64 = 10 * 60_000

    /// The most letters queued in an inbox behind one whose tree is being fetched, in bytes. The rest is read afterwards.
    package static let inboxQueue = 1 << 20

    /// The largest group to which a stranger may invite through a public address: all its members become contacts.
    public static let strangersGroup = 1_000

    /// The most conversations that strangers began and the user has not accepted. It limits the space that strangers can take
    /// here, and is more than a person looks through. Further letters stay at the relay.
    public static let pendingConversations = 100

    /// The shortest time between two trims of an inbox whose address many people may have, and the longest random time added to
    /// it, in milliseconds: a day each. A trim shows senders that the device is connected.
    static let trimMs: UInt64 = 24 * 3_600_000

    /// The time within which the device makes up for a trim that fell due while the relay was not connected, in milliseconds: an
    /// hour, so that the trim does not reveal when the device connected.
    static let trimSoonMs: UInt64 = 3_600_000

    /// The most letters of one inbox left at the relay to be read again: as many as Kith's relay keeps in an inbox.
    static let lettersAside = 4_096

    /// The longest parcel fetched for a letter that may come from a stranger, in bytes: the tree of ``strangersGroup`` members,
    /// at about 3 KiB each, with room for long names.
    package static let strangersParcel = 4 << 20

    /// The most groups held in memory: more than a person uses at a time. The others are read from the vault when needed.
    package static let loadedGroups = 32

    /// The age at which a registered name is registered again, in milliseconds: 30 days. A relay forgets names after a year.
    package static let nameRenewalMs: UInt64 = 30 * 24 * 3_600_000

    /// The longest pause between two attempts to deliver to a relay that refuses for the moment, in milliseconds: an hour.
    package static let deliveryPauseMs: UInt64 = 3_600_000

    /// The most members added by one commit. The device holds their key packages, of 3 KiB each, until the commit is made.
    package static let additionsPerCommit = 256

    /// The largest group whose tree travels in the Welcome: with post-quantum keys, a tree takes 3 KiB a member, and an entry
    /// holds 256 KiB. A larger tree travels once, in a parcel.
    package static let membersWithTreeInWelcome = 32

    /// The age at which a device renews its keys in a group that is in use, in milliseconds: 7 days.
    package static let renewalMs: UInt64 = 7 * 24 * 3_600_000

    /// The number of entries that a device sees in a group before it renews its keys.
    package static let renewalEntries = 1_000

    /// The time for which a key package stays valid after it was made, in seconds: 90 days.
    package static let keyPackageSeconds: UInt64 = 90 * 24 * 3_600

    /// The time before its making from which on a key package is valid, in seconds: 300 days, for owners whose clock is ahead and
    /// senders whose clock is behind. An early beginning weakens nothing, and the whole validity stays below the 400 days that
    /// MLS accepts.
    package static let keyPackageSecondsBefore: UInt64 = 300 * 24 * 3_600

    /// The time for which the private keys of a key package outlive it, in milliseconds: a letter sent in time may lie at the
    /// relay for 30 days.
    package static let keyPackageGraceMs: UInt64 = 30 * 24 * 3_600_000

    /// The difference between the device's clock and a relay's, in milliseconds, beyond which the device makes no invite and
    /// leaves the key packages at the relay as they are: 2 days. Time zones and summer time explain a day at most.
    package static let clockSlackMs: UInt64 = 2 * 24 * 3_600_000

    /// The difference between the clocks, in milliseconds, from which on the user is warned: an hour. The times of messages and
    /// of their expiry are plainly wrong then.
    package static let clockTellMs: UInt64 = 3_600_000

    /// The pause between two checks of a clock that seems wrong, in milliseconds: 10 minutes.
    package static let clockPatienceMs: UInt64 = 600_000

    /// The first pause before the device asks for another key package in place of one that is not valid now, in milliseconds. It
    /// doubles up to ``clockPatienceMs``. Each attempt takes one of the owner's key packages.
    package static let keyPackagePatienceMs: UInt64 = 1_000

    /// The age at which fresh key packages replace those of an inbox, in milliseconds: 30 days, well within their lifetime.
    package static let depositMs: UInt64 = 30 * 24 * 3_600_000

    /// The most letters that led to a conversation and that an inbox recognizes if they come again. Older letters are dropped
    /// silently: their key packages are gone.
    package static let rememberedLetters = 64

    /// The most unknown relays of which the user is told because letters to a public address invite to them: enough for honest
    /// invitations, and too few to fill a screen.
    package static let relaysToldOf = 8

    /// The most letters that an inbox for one person declines, by joining and leaving, once the invite was used: enough for
    /// people who got the invite by mistake, and a bound on the work if the invite went around.
    package static let lettersDeclined = 8

    /// The shortest pause before an inbox or a parcel that the relay refused for the moment is opened again, in milliseconds.
    package static let inboxPatienceMs: UInt64 = 2_000

    /// The time within which an entry that the relay has acknowledged must appear in the log, in milliseconds: a minute.
    package static let keptMs: UInt64 = 60_000

    /// The most cursors of one profile: more than a device runs programs that read messages. Each cursor may store a place for
    /// each conversation.
    public static let cursors = 64

    /// The longest name of a cursor, in bytes: room for a program's name, but not for a text.
    public static let cursorName = 64

    /// The highest number of a cursor: the store has a key for each, and no profile makes this many.
    static let highestCursor: UInt64 = 1 << 32

    /// Entries that one step of the search for a cursor's next message reads. Few, because the search ends at the first message,
    /// but enough to skip the receipts and notices between two messages in one step.
    static let cursorPage = 16

    /// The largest group in which members send read receipts: each receipt goes to all members.
    public static let membersWithReceipts = 8

    /// The time for which a proof that a member is here counts, in milliseconds. Within it, the device does not challenge the
    /// member in return.
    package static let presenceMs: UInt64 = 5_000

    /// The most live checks answered within ``presenceMs`` in one conversation: members of a group who come one after the other
    /// all get an answer, and the number stays far below the requests that a relay allows.
    package static let liveAnswers = 64

    /// Entries at the end of a log that are searched for a message that was handed to another process a moment ago.
    package static let recentEntries = 1_000

    /// The most lines that count unreadable entries at the same time: one for each reason and member. Beyond that, the count
    /// starts over, so that a flood takes little memory.
    static let kindsPassedOver = 32

    /// The time within which a warning counts as a repeat, in milliseconds: 10 minutes. The user hears of a relay that misbehaves
    /// without end a few times an hour.
    static let repeatMs: UInt64 = 600_000

    /// The number of entries after which a message that should have come counts as missing: twice as many as a sender has in
    /// flight.
    package static let entriesBeforeGap: UInt64 = 32

    /// The most messages of one conversation that wait for the relay's answer at the same time.
    package static let messagesInFlight = 16
}
