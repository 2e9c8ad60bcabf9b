import KithWire
import NIOCore

/// Every limit of the client, with its reason.
public enum ClientLimits {
    /// The longest answer to the WebSocket upgrade that is read, in bytes. Relays answer with some 200; a proxy in
    /// between may add headers of its own.
    public static let upgradeResponse = 8 << 10

    /// Requests that may wait for their answer on one connection. More than any burst a relay allows, and few enough
    /// that a relay that stops answering costs little.
    public static let unansweredRequests = 1 << 16

    /// Frames that a connection sends because the relay's frames call for them (an `unfollow` that was refused, say) while
    /// the relay reads nothing. As many as a relay lets a connection follow channels; only a hostile one reaches it.
    static let unreadReactions = 4096

    /// Frames that one follow holds for a consumer that is slower than the relay, in bytes. Enough to keep a consumer
    /// busy for the round trip it takes to ask for more. Reached, the relay is asked to stop sending this channel.
    public static let followBacklog = 1 << 20

    /// Frames that all follows of one connection hold together, in bytes; beyond it, the next follow that receives
    /// something is held back too. Bounds a client that follows thousands of channels and reads none.
    public static let connectionBacklog = 8 << 20

    /// The longest page that is read when a relay is asked for its status, in bytes: ten times what one has.
    public static let statusPage = 64 << 10

    /// The longest known-relays file that is read, in bytes: room for thousands of relays.
    public static let knownRelaysFile = 1 << 20

    /// A name that a person or a device goes by, in bytes: room for any name, and not for a text.
    public static let personName = 128

    /// A conversation's name, in bytes.
    public static let title = 256

    /// The text of one message, in bytes: the largest padded content has room for it. Longer texts are sent as several.
    public static let text = 64 << 10

    /// The largest padded content, in bytes: with the message's own overhead it still fits an entry.
    public static let paddedContent = 250 << 10

    /// The longest life of an invite, in seconds: ten years.
    public static let inviteSeconds: UInt64 = 10 * 366 * 24 * 3_600

    /// The longest line that is read as an invite, in bytes. One has about 300.
    public static let invite = 4 << 10

    /// The longest commit that stands in the log itself, in bytes: it fits an entry with room to spare. Longer ones, of large
    /// groups in which few have renewed their keys, lie beside the log in a parcel.
    public static let turn = 192 << 10

    /// The longest Welcome, in bytes: with what seals it, it fits an entry.
    public static let welcome = 248 << 10

    /// The longest parcel, in bytes: the ratchet tree of 10,000 members.
    public static let parcel = 64 << 20

    /// The longest wait for the tree of a group that the device was invited to, or for the log of one, in milliseconds: a day.
    public static let parcelMs: UInt64 = 24 * 3_600_000

    /// The shortest wait for a tree after a restart, in milliseconds: time for another try.
    public static let parcelAgainMs: UInt64 = 10 * 60_000

    /// Letters that may queue in an inbox behind one whose tree is being fetched, in bytes. The rest is read afterwards.
    public static let inboxQueue = 1 << 20

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
    public static let strangersParcel = 4 << 20

    /// Groups that are held in memory: more than a person uses at a time. Others are read from the vault when they are needed.
    public static let loadedGroups = 32

    /// The age at which a registered name is registered again, in milliseconds: 30 days. A relay forgets names after a year.
    public static let nameRenewalMs: UInt64 = 30 * 24 * 3_600_000

    /// The longest pause between two tries to deliver something that a relay refuses for the moment, in milliseconds: an hour.
    public static let deliveryPauseMs: UInt64 = 3_600_000

    /// Members added by one commit. Their key packages, of 3 KiB each, are held until then.
    public static let additionsPerCommit = 256

    /// The largest group whose tree travels in the Welcome: with post-quantum keys it has 3 KiB a member, and an entry takes
    /// 256 KiB. Larger ones travel once, in a parcel.
    public static let membersWithTreeInWelcome = 32

    /// The age at which a device renews its keys in a group that is in use, in milliseconds: 7 days.
    public static let renewalMs: UInt64 = 7 * 24 * 3_600_000

    /// Entries that a device sees in a group before it renews its keys.
    public static let renewalEntries = 1_000

    /// Lifetime of a key package from its making on, in seconds: 90 days.
    public static let keyPackageSeconds: UInt64 = 90 * 24 * 3_600

    /// From how long before it was made a key package is valid, in seconds: 300 days, for owners whose clock is ahead and senders
    /// whose clock is behind. The beginning protects nothing, and both parts stay below the 400 days that MLS accepts.
    public static let keyPackageSecondsBefore: UInt64 = 300 * 24 * 3_600

    /// Time for which a key package's private keys outlive it, in milliseconds: a letter that was sent in time may
    /// lie at the relay for 30 days.
    public static let keyPackageGraceMs: UInt64 = 30 * 24 * 3_600_000

    /// The difference between the device's clock and a relay's, in milliseconds, beyond which no key packages replace those that
    /// are at the relay, and no invite is made: 2 days. Time zones and summer time explain a day.
    public static let clockSlackMs: UInt64 = 2 * 24 * 3_600_000

    /// The difference between clocks, in milliseconds, that the user is told of: an hour. Times of messages and of short-lived
    /// texts are plainly wrong then.
    public static let clockTellMs: UInt64 = 3_600_000

    /// Pause between two looks at a clock that seems wrong, in milliseconds: 10 minutes.
    public static let clockPatienceMs: UInt64 = 600_000

    /// The first wait for another key package in place of one that is not valid now, in milliseconds. Doubles up to
    /// ``clockPatienceMs``. Each try takes one of the owner's key packages.
    public static let keyPackagePatienceMs: UInt64 = 1_000

    /// After how long an inbox gets fresh key packages, in milliseconds: 30 days, well within their lifetime.
    public static let depositMs: UInt64 = 30 * 24 * 3_600_000

    /// Letters that led to a conversation and that an inbox knows again. Older ones are passed over without a word: their key
    /// packages are gone.
    public static let rememberedLetters = 64

    /// Duration of a connection after which the next one is made as soon as after the first: the handshake, a catching up,
    /// and then some.
    public static let lastingConnection = Duration.seconds(5)

    /// Relays, not known here, of which the user is told that somebody invites to them by an address that anybody may have: enough
    /// for honest invitations, and no way to fill a screen.
    public static let relaysToldOf = 8

    /// Letters that an inbox for one person declines, once that person has come, by joining and leaving again: enough for who
    /// got the invite from somebody by mistake, and no endless work for one that went around.
    public static let lettersDeclined = 8

    /// The shortest wait before an inbox that the relay refused for the moment is opened anew, in milliseconds.
    public static let inboxPatienceMs: UInt64 = 2_000

    /// Time within which the log brings an entry that the relay has acknowledged, in milliseconds.
    public static let keptMs: UInt64 = 60_000

    /// The largest group in which members say what they have read: each says it to all.
    public static let membersWithReceipts = 8

    /// Memory that scrypt may take with parameters from a file, in bytes: eight times what Kith itself asks for.
    public static let scryptMemory = 1 << 30

    /// The longest record of a backup, in bytes: far more than any message, and no danger to a reader's memory.
    public static let backupRecord = 16 << 20

    /// The longest file that is read as a lock, in bytes: room for a process's number and for the names of its machine and
    /// container.
    public static let lockFile = 512

    /// The longest wait of one process for another that is writing to the same vault, in seconds. A transaction takes
    /// milliseconds; a busy disk may take a second.
    public static let vaultWait = 10.0

    /// SQLite's page cache for a vault, in KiB: the tables that change all the time, of hundreds of conversations.
    public static let vaultCacheKiB = 8 << 10

    /// Time for which a proof that a member is here counts, in milliseconds. Within it, the member is not asked back.
    public static let presenceMs: UInt64 = 5_000

    /// Live checks that are answered within ``presenceMs`` in one conversation: members of a group who come one after the other
    /// all get theirs, and it stays far below the requests that a relay allows.
    public static let liveAnswers = 64

    /// Entries at the end of a log among which a message is sought that was handed to another process a moment ago.
    public static let recentEntries = 1_000

    /// Kinds of entries that could not be read which are counted at once, in lines: the reasons, each of some members. More are begun
    /// anew, so that what is kept of a flood stays small.
    static let kindsPassedOver = 32

    /// Time within which a warning counts as a repeat, in milliseconds: 10 minutes. A relay that misbehaves without end is told
    /// a few times an hour.
    static let repeatMs: UInt64 = 600_000

    /// Entries after which a message that should have come is called missing: twice what a sender has
    /// under way.
    public static let entriesBeforeGap: UInt64 = 32

    /// Entries that follows have brought and the messenger has not taken yet, in bytes of payload: enough that one transaction stores
    /// thousands of messages, and little beside what a profile takes anyway. Reached, nothing more is taken from the relays.
    public static let mailbox = 4 << 20

    /// The events that wait for one who listens, in bytes as they are counted (see ``eventBytes``): some 30,000 of short
    /// messages, which is more than a catching up after weeks brings at once.
    public static let unreadEvents = 16 << 20

    /// Memory that an event takes beside its text, in bytes.
    public static let eventBytes = 512

    /// The threads on which all profiles of a process work. A person has one profile; a program that has hundreds gains
    /// nothing by more threads than can wait for a disk at once.
    public static let profileThreads = 8

    /// Wait for the relay's goodbye when a connection is closed here: a second is all that closing may take, and
    /// what was not sent by then is sent by the next connection.
    static let goodbye = TimeAmount.milliseconds(500)

    /// Messages of one conversation that wait for the relay's answer at once.
    public static let messagesInFlight = 16
}

/// Timeouts of a connection to a relay. All have defaults fit for the internet; tests and slow lines set their own.
public struct RelayTimeouts: Sendable {
    /// For the TCP connection to stand.
    public var connect: TimeAmount
    /// From there until the relay's `welcome`: TLS, upgrade and hello. A relay gives a client 10 s too.
    public var handshake: TimeAmount
    /// For the answer to a request. A connection with an older request is given up: the relay, or the line, is dead.
    public var answer: TimeAmount
    /// After this long without a request, a ping goes out: it keeps the connection open at the relay and on the way, and
    /// shows a dead line. Sooner if the relay closes idle connections sooner.
    public var pingAfter: TimeAmount

    /// Timeouts from their values.
    public init(
        connect: TimeAmount = .seconds(10), handshake: TimeAmount = .seconds(10), answer: TimeAmount = .seconds(30),
        pingAfter: TimeAmount = .seconds(60)
    ) {
        self.connect = connect
        self.handshake = handshake
        self.answer = answer
        self.pingAfter = pingAfter
    }
}
