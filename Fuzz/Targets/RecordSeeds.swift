import Crypto
import KithWire
import MLS
import TLSCodec

@testable import KithClient
@testable import KithCore

/// First inputs for the decoders of contents, invites, letters and records.
func recordSeeds() throws -> [String: [[UInt8]]] {
    let random = RandomSource.system
    let account = try AccountPrivateKey(random: random)
    let profile = try ProfileRecord(
        account: account, name: "alice", deviceName: "phone", now: 1_700_000_000_000, random: random)
    guard let address = RelayAddress("relay.example.org:4433"), let name = Name("alice") else { return [:] }
    let relay = RelayPoint(
        address: address, pin: RelayPin(ofSubjectPublicKeyInfo: Array("key".utf8)), pass: RelayPass("open sesame"))
    let (channel, entry, token) = (ChannelID.random(), EntryID.random(), Token.random())
    let (one, two) = (RelayID(rawValue: 1), ConversationID(rawValue: 2))
    let inbox = InboxAddress(
        relay: relay, channel: channel, appendToken: token, sealKey: InboxSealKey(random: random),
        account: account.publicKey.fingerprint)
    let view = LogView(
        beginning: 1, of: channel, authenticator: SecretBytes([UInt8](repeating: 1, count: 32)), after: 7)
    let blob = BlobReference(
        blob: .random(from: random), read: token, key: random.secret(32), layout: FileLayout(size: 5_000),
        root: view.hash)
    let label = FileLabel(name: "a.txt", mediaType: "text/plain", flags: .longText)
    let files = FileMessage(
        caption: "two",
        attachments: [
            AttachedFile(label: label, place: .inline([1, 2])), AttachedFile(label: label, place: .blob(blob)),
        ])
    let bodies: [Content.Body] = [
        .text("hello"), .receipt(readThrough: 5), .contactCard(inbox), .title("friends"), .unknown(kind: 9, [1, 2]),
        .files(files),
    ]
    let contents = bodies.map {
        Content(messageID: entry, sentAt: 1, view: view, replyTo: entry, expiresAfter: 60, body: $0)
    }
    let whispers: [Whisper] = [
        Whisper(
            .challenge, from: LeafIndex(rawValue: 1), nonce: view.hash, view: view, signature: view.hash),
        Whisper(
            .answer(to: LeafIndex(rawValue: 0), challenge: view.hash), from: LeafIndex(rawValue: 1), nonce: view.hash,
            view: view, signature: view.hash),
        Whisper(
            .typing(at: 1_750_000_000_000), from: LeafIndex(rawValue: 1), nonce: view.hash, view: view,
            signature: view.hash),
    ]
    let invite = Invite(inbox: inbox, name: "alice", expiresAt: 1_800_000_000)
    let parcel = ParcelAddress(channel: channel, readToken: token, key: view.hash, length: 300_000)
    let messages = [TreeSource.inWelcome, .parcel(parcel)].map {
        InboxMessage(
            relay: relay, title: "friends", isDirect: false, welcome: [1, 2, 3], tree: $0, view: view,
            firstLines: FirstLines(["hello"]))
    }
    let contact = Contact(
        id: ContactID(rawValue: 1), name: "bob", accountKey: account.publicKey, trust: .invite,
        conflictingKey: account.publicKey, inbox: inbox, registeredName: name)
    var conversation = ConversationRecord(
        channel: channel, relay: one, title: "friends", contact: contact.id, isDirect: false, isCreated: true, epoch: 3,
        memberCount: 4)
    conversation.begin(with: view)
    conversation.readBy.didRead(contact.id, through: 4)
    conversation.end(.stopped(seq: 5, reason: .trimmed))
    let target = AddTarget(inbox: inbox, alias: "bob", trust: .invite)
    for change in [.add([target]), .remove(account.publicKey), .leave] as [Intent.Change] {
        _ = conversation.intents.add(change)
    }
    let purposes: [InboxRecord.Purpose] = [
        .invite(isReusable: true, expiresAt: 9), .contact(contact.id), .name(name),
    ]
    let inboxes = purposes.map { purpose in
        var inbox = InboxRecord(relay: one, purpose: purpose, random: random)
        inbox.setAside(3, .room)
        inbox.setAside(5, .log(LogWait(conversation: two, epoch: 4, since: 1)))
        return inbox.encoded
    }
    let inLog = Entry(seq: 8, epoch: 3, kind: .message, receivedAtMs: 1, id: entry, payload: [1])
    let notices: [Notice] = [
        .began(by: "bob"), .added("carol", by: "bob"), .unreadable(.notGenuine, from: "bob"),
        .missed(first: 1, last: 2),
    ]
    let entries = [EntryRecord.Body.text("hello"), .notices(notices), .unknown(kind: 9, [1]), .expired, .files(files)]
        .map {
            EntryRecord(
                inLog, view: view, author: .contact(contact.id), body: $0,
                warnings: [.differentLogs(first: 1, last: 2), .missingBefore(3), .notKept(seq: 4), .oldWelcome])
        }
    var item = OutboxItem(entryID: entry, sentAt: 1, replyTo: entry, expiresAfter: 5, body: .content(.text("hello")))
    item.attempt = OutboxItem.Attempt(epoch: 3, payload: [1, 2], expiresAfter: 5)
    let grant = Grant(for: token)
    let delivery = ChannelDelivery(
        relay: one, channel: channel, appendToken: token, access: Access(read: grant, append: grant, turn: grant),
        parts: [ChannelDelivery.Part(id: entry, payload: [1, 2])], after: 1, conversation: two, intent: 1)
    let text = OutgoingMessage(id: entry, .text("hello"), replyTo: entry, expiresAfter: 5)
    let request = SendRequest(text, to: two, channel: channel)
    let place = EntryPlace(conversation: two, seq: 8)
    let (cursor, cursorPlace) = (try CursorName("bot"), CursorPlace(doneThrough: 3))
    let backup: [BackupRecord] = [
        .identity(account: account, name: "alice"), .relay(one, relay), .contact(contact),
        .conversation(two, conversation), .entry(place, entries[0].encoded),
        .expiry(place, Expiry(after: 5, wall: 1, relay: 1)), .expiry(place, Expiry(at: 9)),
        .cursor(number: 1, cursor), .cursorPlace(number: 1, two, cursorPlace),
    ]
    func records(_ kind: UInt8, _ records: [[UInt8]]) -> [[UInt8]] { records.map { [kind] + $0 } }
    var stored = records(0, [conversation.encoded]) + records(1, [contact.stored])
    stored += records(2, inboxes)
    stored += records(3, entries.map(\.encoded)) + records(4, [item.encoded]) + records(6, [profile.encoded])
    stored += records(7, [request.encoded]) + records(8, [delivery.encoded]) + records(9, backup.map(\.encoded))
    stored += records(11, [cursorPlace.encoded]) + records(12, [cursor.encoded])
    if let key = WrappedKey(
        SecretBytes(view.hash), .vault, under: SymmetricKey(size: .bits256), .passphrase(ScryptParameters(.cheap)))
    {
        stored += records(10, [key.encoded])
    }
    let (transfer, filePlace) = (
        TransferID(rawValue: 7), FilePlace(conversation: two, seq: 8, number: 2)
    )
    let stamp = FileStamp(size: 5_000, modifiedNs: 1, inode: 2)
    let outgoing = OutgoingFiles(
        caption: "two",
        files: [
            PreparedFile(label: label, content: .bytes([1, 2])),
            PreparedFile(label: label, content: .source(.path("/a", stamp, isCleaned: true), size: 5_000)),
            PreparedFile(label: label, content: .source(.spool(transfer, key: random.secret(32)), size: 5)),
        ], replyTo: entry, expiresAfter: 5)
    let fileRecords: [(UInt8, [UInt8])] = [
        (0, Array("../a\u{202E}b.txt".utf8)), (1, [0, 0, 0, 1, 2]), (1, [0, 1, 2, 3]), (2, files.encoded),
        (3, UploadRecord(outgoing, as: entry, sentAt: 1, random: random).encoded),
        (4, FileRequest.send(entry, two, channel, outgoing).encoded), (4, FileRequest.fetch(filePlace).encoded),
        (5, filePlace.encoded), (6, KeptFile(id: transfer).encoded), (7, FileSettings().encoded),
        (8, BackupFileRecord.part(transfer, offset: 3, [1]).encoded),
        (8, BackupFileRecord.end(transfer, filePlace).encoded),
    ]
    return [
        "content": contents.map(\.encoded) + contents.compactMap { ContentPadding.pad($0.encoded) }
            + whispers.map(\.encoded),
        "files": fileRecords.map { [$0.0] + $0.1 },
        "invite": [invite.encoded, Array(invite.line.utf8), inbox.encoded, relay.encoded],
        "letters": messages.map(\.encoded) + [
            TurnReference(to: parcel, of: [1, 2]).encoded, profile.certificate.encoded,
        ],
        "vault-records": stored,
        "backup": [[0, 0, 9, 0, 3, 4, 0, 5] + Array("some records".utf8), [1, 200, 9, 1, 0] + view.hash],
    ]
}
