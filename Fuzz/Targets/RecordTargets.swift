import Foundation
import KithWire
import MLS
import TLSCodec

@testable import KithClient
@testable import KithCore

/// Content that members send each other, with its padding: both have one encoding, and nothing can be hidden in the
/// padding.
func fuzzContent(_ bytes: [UInt8]) {
    expectCanonical(Content.self, bytes)
    expectCanonical(Whisper.self, bytes)
    guard let content = try? ContentPadding.unpad(bytes) else { return }
    expectCanonical(Content.self, content)
    guard let padded = ContentPadding.pad(Array(content)) else { return }
    // Another implementation may choose other sizes; the padding is zeroes all the same.
    expect(padded.prefix(bytes.count).elementsEqual(bytes.prefix(padded.count)), "something else was in the padding")
    expect(ContentPadding.sizes.contains(padded.count), "a size that tells something")
}

/// An invite as bytes and as a pasted line: a line that decodes is written in one form, which decodes to itself.
func fuzzInvite(_ bytes: [UInt8]) {
    expectCanonical(Invite.self, bytes)
    expectCanonical(InboxAddress.self, bytes)
    expectCanonical(RelayPoint.self, bytes)
    if let invite = try? Invite(decoding: bytes) { expectReadBack(invite) }
    if let invite = try? Invite(line: String(decoding: bytes, as: UTF8.self)) { expectReadBack(invite) }
}

private func expectReadBack(_ invite: Invite) {
    guard let again = try? Invite(line: invite.line) else {
        return expect(invite.line.utf8.count > ClientLimits.invite, "an invite's line is none")
    }
    expect(again.encoded == invite.encoded, "an invite changes when it is passed on")
    expect(
        invite.line.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "an invite with a character that does not travel")
}

/// Letters of an inbox, and a device's certificate. All but the message in a letter have one encoding.
func fuzzLetters(_ bytes: [UInt8]) {
    // Version 2 is written as version 3, and first lines that could not be a message count as none.
    expectStable(InboxMessage.self, bytes, decode: { try InboxMessage(decoding: $0) }, encode: \.encoded)
    expectCanonical(InboxLetter.self, bytes)
    expectCanonical(TurnReference.self, bytes)
    expectCanonical(DeviceCertificate.self, bytes)
    if let message = try? InboxMessage(decoding: bytes), case .parcel(let address) = message.tree {
        expect(address.partCount > 0, "a parcel of nothing")
        expect(address.partCount * ParcelAddress.partLength < 2 * ClientLimits.parcel, "a parcel that fills the memory")
        var contents = ParcelContents(of: address)
        expect(!contents.take(.random(), bytes), "a parcel that nobody sealed")
    }
}

/// The vault's records: the first byte chooses the kind.
func fuzzVaultRecords(_ bytes: [UInt8]) {
    guard let kind = bytes.first else { return }
    let stored = Array(bytes.dropFirst())
    switch kind {
    case 0:
        // The read positions of members are a dictionary, which must not depend on order.
        expectStable(ConversationRecord.self, stored, decode: ConversationRecord.init(stored:), encode: \.encoded)
    case 1:
        expectStable(
            Contact.self, stored, decode: { try Contact(id: ContactID(rawValue: 1), stored: $0) }, encode: \.stored)
    // A record of an earlier version is written again in the present version.
    case 2: expectStable(InboxRecord.self, stored, decode: InboxRecord.init(stored:), encode: \.encoded)
    case 3: expectStable(EntryRecord.self, stored, decode: EntryRecord.init(stored:), encode: \.encoded)
    case 4: expectStable(OutboxItem.self, stored, decode: OutboxItem.init(stored:), encode: \.encoded)
    case 5: expectStable(PendingTurn.self, stored, decode: PendingTurn.init(stored:), encode: \.encoded)
    case 6: expectStable(ProfileRecord.self, stored, decode: ProfileRecord.init(stored:), encode: \.encoded)
    case 7 where stored.first.map { $0 < 3 } ?? false:
        expectStable(SendRequest.self, stored, decode: SendRequest.init(stored:), encode: \.encoded)
    case 7: expectCanonical(SendRequest.self, stored, decode: SendRequest.init(stored:), encode: \.encoded)
    case 8: expectStable(ChannelDelivery.self, stored, decode: ChannelDelivery.init(stored:), encode: \.encoded)
    case 9:
        expectStable(BackupRecord?.self, stored, decode: BackupRecord.decode) { $0?.encoded ?? [0] }
    case 10: expectCanonical(WrappedKey.self, stored)
    case 11: expectCanonical(CursorPlace.self, stored, decode: CursorPlace.init(stored:), encode: \.encoded)
    case 12: expectCanonical(CursorName.self, stored, decode: CursorName.init(stored:), encode: \.encoded)
    default: break
    }
}

/// A backup restores exactly its content. With a byte changed or its end cut off, it gives no other content and no end.
func fuzzBackup(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    // A chunk is 64 KiB: without long records, there would be only one.
    let repeats = input.byte() & 1 == 0 ? 1 : 64
    let place = Int(input.byte()) << 8 | Int(input.byte())
    let change = input.byte()
    let cuts = input.bytes(4)
    let records = pieces(of: input.rest, cuts: cuts).map { piece in
        Array(repeatElement(Array(piece), count: repeats).joined())
    }
    let file = URL(filePath: "/dev/shm/kith-fuzz-\(getpid()).backup")
    defer { unlink(file.path) }
    do {
        var writer = try BackupWriter(to: file, passphrase: "fuzz", cost: .cheap)
        for record in records { try writer.append(record) }
        try writer.finish()
        let whole = try read(file)
        expect(whole.isAtEnd && whole.records == records, "a backup does not bring what was written")
        var altered = [UInt8](try Data(contentsOf: file))
        if change == 0 {
            altered.removeLast(1 + place % altered.count)
        } else {
            altered[place % altered.count] ^= change
        }
        try Data(altered).write(to: file)
    } catch { fatalError("no backup: \(error)") }
    guard let rest = try? read(file) else { return }
    expect(!rest.isAtEnd, "an altered backup passes for whole")
    expect(records.starts(with: rest.records), "an altered backup brings something else")
}

private func read(_ file: URL) throws -> (records: [[UInt8]], isAtEnd: Bool) {
    var reader = try BackupReader(from: file, passphrase: "fuzz")
    var records: [[UInt8]] = []
    do {
        while let record = try reader.next() { records.append(record) }
    } catch { return (records, false) }
    return (records, true)
}
