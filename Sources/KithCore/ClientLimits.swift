/// Every limit of the client's state machines, with its reason. Those of connections and of the vault stand in `KithClient`.
public enum ClientLimits {
    /// A name that a person or a device goes by, in bytes: room for any name, and not for a text.
    public static let personName = 128

    /// A conversation's name, in bytes.
    public static let title = 256

    /// The text of one message, in bytes: the largest padded content has room for it. Longer texts are sent as several.
    public static let text = 64 << 10

    /// The largest padded content, in bytes: with the message's own overhead it still fits an entry.
    package static let paddedContent = 250 << 10

    /// The longest life of an invite, in seconds: ten years.
    package static let inviteSeconds: UInt64 = 10 * 366 * 24 * 3_600

    /// The longest line that is read as an invite, in bytes. One has about 300.
    public static let invite = 4 << 10

    /// The longest commit that stands in the log itself, in bytes: it fits an entry with room to spare. Longer ones, of large
    /// groups in which few have renewed their keys, lie beside the log in a parcel.
    package static let turn = 192 << 10

    /// The longest Welcome, in bytes: with what seals it, it fits an entry.
    package static let welcome = 248 << 10

    /// The longest parcel, in bytes: the ratchet tree of 10,000 members.
    package static let parcel = 64 << 20

    /// The longest wait for the tree of a group that the device was invited to, or for the log of one, in milliseconds: a day.
    package static let parcelMs: UInt64 = 24 * 3_600_000

    /// The shortest wait for a tree after a restart, in milliseconds: time for another try.
    package static let parcelAgainMs: UInt64 = 10 * 60_000

    /// Letters that may queue in an inbox behind one whose tree is being fetched, in bytes. The rest is read afterwards.
    package static let inboxQueue = 1 << 20

    /// The largest group to which somebody who is no contact may invite by a public address: all who are in it become contacts.
    public static let strangersGroup = 1_000

    /// Conversations that strangers began and the user has not accepted: a bound for what strangers can store here, and more than a
    /// person looks through. Further letters stay at the relay.
    public static let pendingConversations = 100

    /// The least time between two trims of an inbox whose address many may have, in milliseconds, and the most that is drawn in
    /// addition: a day each. Senders learn from a trim that the device is connected.
    static let trimMs: UInt64 = 24 * 3_600_000

    /// The time within which a trim is made up for that fell due while the relay was not connected, in milliseconds: an hour, so that
    /// it does not tell when the device connected.
    static let trimSoonMs: UInt64 = 3_600_000

    /// Letters of one inbox that are left at the relay to be read again: as many as a relay of Kith's keeps in an inbox.
    static let lettersAside = 4_096

    /// The longest parcel that is fetched for a letter that may be a stranger's, in bytes: the tree of ``strangersGroup``
    /// members, at some 3 KiB each, with room for long names.
    package static let strangersParcel = 4 << 20

    /// Groups that are held in memory: more than a person uses at a time. Others are read from the vault when they are needed.
    package static let loadedGroups = 32

    /// The age at which a registered name is registered again, in milliseconds: 30 days. A relay forgets names after a year.
    package static let nameRenewalMs: UInt64 = 30 * 24 * 3_600_000

    /// The longest pause between two tries to deliver something that a relay refuses for the moment, in milliseconds: an hour.
    package static let deliveryPauseMs: UInt64 = 3_600_000

    /// Members added by one commit. Their key packages, of 3 KiB each, are held until then.
    package static let additionsPerCommit = 256

    /// The largest group whose tree travels in the Welcome: with post-quantum keys it has 3 KiB a member, and an entry takes
    /// 256 KiB. Larger ones travel once, in a parcel.
    package static let membersWithTreeInWelcome = 32

    /// The age at which a device renews its keys in a group that is in use, in milliseconds: 7 days.
    package static let renewalMs: UInt64 = 7 * 24 * 3_600_000

    /// Entries that a device sees in a group before it renews its keys.
    package static let renewalEntries = 1_000

    /// Lifetime of a key package from its making on, in seconds: 90 days.
    package static let keyPackageSeconds: UInt64 = 90 * 24 * 3_600

    /// From how long before it was made a key package is valid, in seconds: 300 days, for owners whose clock is ahead and senders
    /// whose clock is behind. The beginning protects nothing, and both parts stay below the 400 days that MLS accepts.
    package static let keyPackageSecondsBefore: UInt64 = 300 * 24 * 3_600

    /// Time for which a key package's private keys outlive it, in milliseconds: a letter that was sent in time may
    /// lie at the relay for 30 days.
    package static let keyPackageGraceMs: UInt64 = 30 * 24 * 3_600_000

    /// The difference between the device's clock and a relay's, in milliseconds, beyond which no key packages replace those that
    /// are at the relay, and no invite is made: 2 days. Time zones and summer time explain a day.
    package static let clockSlackMs: UInt64 = 2 * 24 * 3_600_000

    /// The difference between clocks, in milliseconds, that the user is told of: an hour. Times of messages and of short-lived
    /// texts are plainly wrong then.
    package static let clockTellMs: UInt64 = 3_600_000

    /// Pause between two looks at a clock that seems wrong, in milliseconds: 10 minutes.
    package static let clockPatienceMs: UInt64 = 600_000

    /// The first wait for another key package in place of one that is not valid now, in milliseconds. Doubles up to
    /// ``clockPatienceMs``. Each try takes one of the owner's key packages.
    package static let keyPackagePatienceMs: UInt64 = 1_000

    /// After how long an inbox gets fresh key packages, in milliseconds: 30 days, well within their lifetime.
    package static let depositMs: UInt64 = 30 * 24 * 3_600_000

    /// Letters that led to a conversation and that an inbox knows again. Older ones are passed over without a word: their key
    /// packages are gone.
    package static let rememberedLetters = 64

    /// Relays, not known here, of which the user is told that somebody invites to them by an address that anybody may have: enough
    /// for honest invitations, and no way to fill a screen.
    package static let relaysToldOf = 8

    /// Letters that an inbox for one person declines, once that person has come, by joining and leaving again: enough for who
    /// got the invite from somebody by mistake, and no endless work for one that went around.
    package static let lettersDeclined = 8

    /// The shortest wait before an inbox that the relay refused for the moment is opened anew, in milliseconds.
    package static let inboxPatienceMs: UInt64 = 2_000

    /// Time within which the log brings an entry that the relay has acknowledged, in milliseconds.
    package static let keptMs: UInt64 = 60_000

    /// Cursors of one profile: more than a device runs programs that read messages. Each may store a place for each conversation.
    public static let cursors = 64

    /// The name of a cursor, in bytes: room for a program's name, and not for a text.
    public static let cursorName = 64

    /// The highest number of a cursor: the store has a place for each, and nobody makes so many.
    static let highestCursor: UInt64 = 1 << 32

    /// Entries that a look for a cursor's next message reads at once. Few, because the look ends at the first message; and enough that
    /// receipts and notices between two messages are passed over in one step.
    static let cursorPage = 16

    /// The largest group in which members say what they have read: each says it to all.
    public static let membersWithReceipts = 8

    /// Time for which a proof that a member is here counts, in milliseconds. Within it, the member is not asked back.
    package static let presenceMs: UInt64 = 5_000

    /// Live checks that are answered within ``presenceMs`` in one conversation: members of a group who come one after the other
    /// all get theirs, and it stays far below the requests that a relay allows.
    package static let liveAnswers = 64

    /// Entries at the end of a log among which a message is sought that was handed to another process a moment ago.
    package static let recentEntries = 1_000

    /// Kinds of entries that could not be read which are counted at once, in lines: the reasons, each of some members. More are begun
    /// anew, so that what is kept of a flood stays small.
    static let kindsPassedOver = 32

    /// Time within which a warning counts as a repeat, in milliseconds: 10 minutes. A relay that misbehaves without end is told
    /// a few times an hour.
    static let repeatMs: UInt64 = 600_000

    /// Entries after which a message that should have come is called missing: twice what a sender has
    /// under way.
    package static let entriesBeforeGap: UInt64 = 32

    /// Messages of one conversation that wait for the relay's answer at once.
    package static let messagesInFlight = 16
}
