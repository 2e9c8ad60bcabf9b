/// The limits of the client's state machines, each with its reason. `KithClient` has the limits of connections and of the vault.
public enum ClientLimits {
    /// The longest name of a person or a device, in bytes. There is room for any name, but not for a text.
    public static let personName = 128

    /// The longest name of a conversation, in bytes.
    public static let title = 256

    /// The longest text of a message, in bytes. A text of this length fits into the largest padded content. The program `kith`
    /// sends a longer text as a file.
    public static let text = 64 << 10

    /// Maximum number of people that one text mentions. The limit bounds the work of readers, whose devices look up every name.
    /// Nobody mentions more people by hand.
    static let mentions = 64

    /// The longest reaction, in bytes. The longest emoji sequences of Unicode have 35 bytes.
    public static let reaction = 64

    /// Maximum number of members whose reactions to one message are kept. Further members' reactions are ignored, so that a
    /// message of a very large group stays cheap to read.
    static let reactions = 1_024

    /// Maximum number of a message's earlier texts that are kept after edits.
    static let earlierTextCount = 64

    /// Maximum size of a message's earlier texts that are kept after edits, in bytes of their stored form. If the earlier texts
    /// are longer, the oldest texts are dropped, so that a small edit never makes members' devices write much more than this.
    static let earlierTexts = 16 << 10

    /// Maximum number of pinned messages in a conversation. When another message is pinned, the pin that was set first is
    /// removed.
    public static let pins = 32

    /// The largest padded content, in bytes. Together with the message's overhead, it fits into an entry.
    package static let paddedContent = 250 << 10

    /// Maximum length of the first lines in an invitation, in bytes. The first lines are the beginning of the texts that wait
    /// for the invited person. There is room for some lines that say who writes.
    package static let firstLines = 1 << 10

    /// The size of every private request before encryption, in bytes. An inbox's address and ``firstLines`` fit into it.
    package static let privateRequest = 2 << 10

    /// The longest lifetime of an invite, in seconds: ten years.
    package static let inviteSeconds: UInt64 = 10 * 366 * 24 * 3_600

    /// The longest line that is read as an invite, in bytes. An invite has about 300 bytes.
    public static let invite = 4 << 10

    /// The longest commit in the log itself, in bytes. A commit of this size fits easily into an entry. In a large group in which
    /// few members have renewed their keys, a commit may be longer. A longer commit is sent in a parcel outside the log.
    package static let turn = 192 << 10

    /// The longest Welcome, in bytes. After sealing, it still fits into an entry.
    package static let welcome = 248 << 10

    /// The longest parcel, in bytes. The ratchet tree of 10,000 members fits into it.
    package static let parcel = 64 << 20

    /// The longest wait for a parcel, or for the log of a group to which the device was invited, in milliseconds: a day.
    package static let parcelMs: UInt64 = 24 * 3_600_000

    /// The shortest wait for a tree after a restart, in milliseconds. This time is enough for one retry.
    package static let parcelAgainMs: UInt64 = 10 * 60_000

    /// Maximum total size of an inbox's queue of letters, in bytes. Letters are queued while the tree of the first letter is
    /// being fetched. If more letters arrive, the queue drops all letters except the first. They are read from the relay again
    /// when the first letter is done.
    package static let inboxQueue = 1 << 20

    /// Maximum number of members of a group to which a stranger may invite the user through a public address. The limit is
    /// needed because all members of the group become contacts.
    public static let strangersGroup = 1_000

    /// Maximum number of conversations that strangers began and the user has not accepted. The limit bounds the space that
    /// strangers can use. No user looks through more conversations of strangers. When the limit is reached, further letters from
    /// strangers stay at the relay.
    public static let pendingConversations = 100

    /// Minimum time between two trims of an inbox whose address many people may have, in milliseconds: a day. A random time of
    /// up to a day is added. A trim deletes from the relay the letters that the device has read. Trims have to be rare, because
    /// a trim shows senders that the device is connected.
    static let trimMs: UInt64 = 24 * 3_600_000

    /// Time after connecting within which the device makes a trim that it missed, in milliseconds: an hour. The moment of the
    /// trim is random, so that the trim does not show when the device connected.
    static let trimSoonMs: UInt64 = 3_600_000

    /// Maximum number of letters of one inbox that are left at the relay, so that the device can read them again later. The
    /// limit equals the number of letters that Kith's relay stores in an inbox.
    static let lettersAside = 4_096

    /// The longest parcel that is fetched for a letter from a possible stranger, in bytes. A tree takes about 3 KiB per member,
    /// so the tree of the largest group that ``strangersGroup`` allows fits, even if members have long names.
    package static let strangersParcel = 4 << 20

    /// Maximum number of groups in memory. A person uses fewer at a time. Other groups are read from the vault when they are
    /// needed.
    package static let loadedGroups = 32

    /// Age at which a registered name is registered again, in milliseconds: 30 days, because relays forget names after a year.
    package static let nameRenewalMs: UInt64 = 30 * 24 * 3_600_000

    /// The longest pause between two attempts of a delivery that the relay refuses temporarily, in milliseconds: an hour.
    package static let deliveryPauseMs: UInt64 = 3_600_000

    /// Maximum number of members that one commit adds. The device stores a key package of 3 KiB for each new member until it
    /// makes the commit.
    package static let additionsPerCommit = 256

    /// Maximum number of members of a group whose tree is in the Welcome. With post-quantum keys, a tree takes 3 KiB per
    /// member, and an entry has room for 256 KiB. A larger tree is sent in a parcel, once for all new members.
    package static let membersWithTreeInWelcome = 32

    /// Age at which a device renews its keys in a group that is in use, in milliseconds: 7 days.
    package static let renewalMs: UInt64 = 7 * 24 * 3_600_000

    /// Number of entries in a group after which a device renews its keys.
    package static let renewalEntries = 1_000

    /// Time for which a key package is valid after its creation, in seconds: 90 days.
    package static let keyPackageSeconds: UInt64 = 90 * 24 * 3_600

    /// Time by which the start of a key package's lifetime lies before the key package's creation, in seconds: 300 days. The
    /// start has to be so early, because the owner's clock might be ahead and the sender's behind. The early start does not
    /// weaken security, and the whole lifetime is shorter than the 400 days that MLS accepts.
    package static let keyPackageSecondsBefore: UInt64 = 300 * 24 * 3_600

    /// Time for which the private keys of an expired key package are kept, in milliseconds. A letter that was sent in time may
    /// stay at the relay for 30 days.
    package static let keyPackageGraceMs: UInt64 = 30 * 24 * 3_600_000

    /// Difference between the device's clock and a relay's, in milliseconds, above which the device makes no invite and does not
    /// replace the key packages at the relay: 2 days. A wrong time zone or a missed change to summer time causes a difference of
    /// at most a day. If the difference is larger, one of the two clocks shows a wrong date.
    package static let clockSlackMs: UInt64 = 2 * 24 * 3_600_000

    /// Difference between the device's clock and another clock, in milliseconds, from which the user is warned: an hour. With
    /// such a difference, the times of messages and of their expiry are obviously wrong.
    package static let clockTellMs: UInt64 = 3_600_000

    /// Pause between two checks of a clock that seems wrong, in milliseconds: 10 minutes.
    package static let clockRecheckMs: UInt64 = 600_000

    /// If a key package that the device has received is not valid now, the device requests another one after a pause. The value
    /// is the length of the first pause, in milliseconds. Each further pause is twice as long, up to ``clockRecheckMs``. Pauses
    /// are needed, because each request takes one of the owner's key packages.
    package static let keyPackageRetryMs: UInt64 = 1_000

    /// Age at which an inbox's key packages are replaced by new ones, in milliseconds: 30 days, far less than their lifetime.
    package static let depositMs: UInt64 = 30 * 24 * 3_600_000

    /// Maximum number of letters that an inbox remembers after they led to a conversation, so that it recognizes them if they
    /// arrive again. If an older letter arrives again, it is dropped without a warning, because its key package was deleted.
    package static let rememberedLetters = 64

    /// Maximum number of unknown relays that are reported to the user. A relay is reported if a letter to a public address
    /// invites the user to a conversation at this relay. This number is enough for honest invitations, and does not fill a
    /// screen.
    package static let relaysToldOf = 8

    /// Maximum number of a contact's replaced devices that are remembered, so that nobody adds a remembered device again. Key
    /// packages are valid for 90 days, and hardly anybody replaces a device more often than this number of times in 90 days.
    static let formerDevices = 8

    /// Maximum number of letters that an inbox for one person declines after the invite was used. To decline, the device joins
    /// the conversation and leaves it at once. This number is enough for people who got the invite by mistake, and bounds the
    /// work if many people have the invite.
    package static let lettersDeclined = 8

    /// The shortest pause before an inbox or a parcel is opened again after the relay has refused temporarily, in milliseconds.
    package static let inboxRetryMs: UInt64 = 2_000

    /// Time, in milliseconds, within which the relay has to deliver an entry after it has acknowledged the entry or another
    /// member has seen the entry: a minute.
    package static let keptMs: UInt64 = 60_000

    /// Maximum number of cursors in one profile. No device runs so many programs that read messages. Each cursor may store a
    /// place for each conversation.
    public static let cursors = 64

    /// The longest name of a cursor, in bytes. There is room for a program's name, but not for a text.
    public static let cursorName = 64

    /// The highest number of a cursor. The store has a key for every number up to the limit, and no profile creates that many
    /// cursors.
    static let highestCursor: UInt64 = 1 << 32

    /// Number of entries that one step reads when it searches for a cursor's next message. The number is small, because the
    /// search ends at the first message. The number is still large enough to skip the receipts and notices between two messages
    /// in one step.
    static let cursorPage = 16

    /// Maximum number of members of a group in which members send read receipts. In a larger group, receipts would cost too
    /// much, because each one goes to all members.
    public static let membersWithReceipts = 8

    /// Number of entries before a receipt's seq in which the last own message is searched, to report who has read it. The limit
    /// bounds the work that a receipt can cause.
    static let readSearch: UInt64 = 1_000

    /// Time for which a proof that a member is online is valid, in milliseconds. If the member sends a challenge within this
    /// time, the device does not challenge the member in return.
    package static let presenceMs: UInt64 = 5_000

    /// Maximum number of challenges and reports about typing in one conversation that this device handles in a period of
    /// ``presenceMs``. Even if many members of a group come online one after another, all get an answer. A relay allows far more
    /// requests than these answers need.
    package static let liveWhispers = 64

    /// Minimum time between two reports that the user is typing, in milliseconds: 5 seconds. A report costs the relay as much as a
    /// message.
    package static let typingIntervalMs: UInt64 = 5_000

    /// Time after a report for which its sender counts as typing, in milliseconds: 8 seconds. While a member goes on typing, the
    /// next report arrives earlier, even on a slow connection.
    package static let typingShownMs: UInt64 = 8_000

    /// Number of entries at the end of a log in which the device searches for a message that it has just given to another
    /// process.
    package static let recentEntries = 1_000

    /// Number of a conversation's last entries whose ids are in memory, in order to detect repeated messages and to find answered
    /// ones. After a restart, the ids of as many entries are read from the vault, so that the result is the same. The vault reads
    /// this number in some milliseconds.
    static let recentIDs = 1_000

    /// Maximum number of counters for unreadable entries in one conversation. There is one counter for each reason and member.
    /// If another counter is needed, all existing counters are removed first, so that many different errors take little memory.
    static let kindsPassedOver = 32

    /// Time after a warning within which the next warning of its kind counts as a repetition, in milliseconds. With 10 minutes, a
    /// relay that misbehaves all the time is reported a few times per hour.
    static let repeatMs: UInt64 = 600_000

    /// Number of later entries after which an expected message counts as missing. The limit is twice the number of messages that
    /// a sender may have in flight.
    package static let entriesBeforeGap: UInt64 = 32

    /// Maximum number of messages of one conversation that wait for the relay's answer at the same time.
    package static let messagesInFlight = 16
}
