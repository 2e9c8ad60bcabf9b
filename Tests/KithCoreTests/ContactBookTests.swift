import KithWire
import MLS
import Testing

@testable import KithCore

@Suite("Contact book")
struct ContactBookTests {
    private var step = Step()
    private var book = ContactBook(folding: NameFolding { $0.lowercased() }, own: "alice")

    private func key(_ byte: UInt8) throws -> AccountKey {
        try #require(AccountKey([UInt8](repeating: byte, count: 32)))
    }

    private mutating func meet(_ name: String, _ byte: UInt8, isStranger: Bool = false) throws -> ContactID {
        book.remember(Acquaintance(accountKey: try key(byte), name: name, isStranger: isStranger), in: &step)
    }

    private var stored: Int { step.output.transaction.writes.count }

    @Test("no contact gets the name of the user or of another contact; a blank name gets a placeholder")
    mutating func names() throws {
        let ids = [try meet("Alice", 1), try meet("bob", 2), try meet("BOB", 3), try meet(" \n ", 4)]
        #expect(ids.map { book[$0]?.name } == ["Alice (2)", "bob", "BOB (2)", "somebody"])
        #expect(throws: KithError.nameTaken("alice")) { try book.rename(ids[1], "alice", in: &step) }
        #expect(throws: KithError.nameTaken("somebody")) { try book.rename(ids[1], " somebody ", in: &step) }
        #expect(throws: KithError.tooLong(limit: ClientLimits.personName)) {
            try book.rename(ids[1], String(repeating: "b", count: ClientLimits.personName + 1), in: &step)
        }
        try book.rename(ids[1], "Bob", in: &step)
        #expect(book[ids[1]]?.name == "Bob")
    }

    @Test("a known contact keeps its name, its trust only grows, and a stranger seen elsewhere stops being one")
    mutating func again() throws {
        let id = try meet("bob", 1, isStranger: true)
        #expect(book.acquaintance(try key(1)) == nil)
        let before = stored
        #expect(try meet("robert", 1, isStranger: true) == id)
        #expect(stored == before)
        let met = Acquaintance(accountKey: try key(1), name: "robert", trust: .invite)
        #expect(book.remember(met, in: &step) == id)
        #expect(try meet("x", 1, isStranger: true) == id)
        #expect(stored == before + 1)
        #expect(book[id]?.name == "bob" && book[id]?.trust == .invite)
        #expect(book.acquaintance(try key(1)) == id)
    }

    @Test("an address must be of the contact's account, and an invite does not replace a known address")
    mutating func addresses() throws {
        let id = try meet("bob", 1)
        book.takeCard(try .sample(of: try key(2)), of: id, from: nil, in: &step)
        #expect(book[id]?.inbox == nil)
        let first = try InboxAddress.sample(of: try key(1))
        book.learnAddress(first, in: &step)
        book.learnAddress(try .sample(of: try key(1)), in: &step)
        #expect(book[id]?.inbox == first)
        let second = try InboxAddress.sample(of: try key(1))
        book.takeCard(second, of: id, from: nil, in: &step)
        #expect(book[id]?.inbox == second)
        book.forgetAddress(of: try key(1).fingerprint, in: &step)
        #expect(book[id]?.inbox == nil)
    }

    private func device(_ account: AccountPrivateKey, _ id: UInt8, from notBefore: UInt64) throws -> DeviceCertificate {
        try DeviceCertificate(
            account: account, name: "bob",
            device: .init(
                id: [UInt8](repeating: id, count: 16), name: "d", signatureKey: SignaturePublicKey([id])),
            lifetime: Lifetime(notBefore: notBefore, notAfter: 1_000))
    }

    @Test("a replaced device is remembered until its card comes, unless an older one replaced it without an invite")
    mutating func formerDevices() throws {
        let account = try AccountPrivateKey(random: .system)
        let person = Acquaintance(accountKey: account.publicKey, name: "bob")
        let id = book.remember(person, in: &step)
        let (old, new) = (try device(account, 1, from: 100), try device(account, 2, from: 200))
        func former() -> [Bool] { [old, new].map { book[id]?.formerDevices.contains($0.deviceID) ?? false } }
        book.didReplace(old, by: old, isChosen: true, in: &step)
        #expect(former() == [false, false])
        book.didReplace(old, by: new, isChosen: false, in: &step)
        #expect(former() == [true, false])
        let contact = try #require(book[id])
        #expect(try Contact(id: id, stored: contact.stored) == contact)
        // A member has used the old device's address.
        book.didReplace(new, by: old, isChosen: false, in: &step)
        #expect(former() == [true, false])
        book.didReplace(new, by: old, isChosen: true, in: &step)
        #expect(former() == [false, true])
        book.takeCard(try .sample(of: account.publicKey), of: id, from: new.deviceID, in: &step)
        #expect(former() == [false, false])
    }

    @Test("a list of former devices keeps the last eight")
    func lastFormerDevices() {
        var devices = FormerDevices()
        for byte in UInt8(0)...8 { devices.add([UInt8](repeating: byte, count: 16)) }
        #expect(!devices.contains([UInt8](repeating: 0, count: 16)))
        for byte in UInt8(1)...8 { #expect(devices.contains([UInt8](repeating: byte, count: 16))) }
    }

    @Test("a registered name with another key is a conflict for the user to decide, at the same relay only")
    mutating func conflicts() throws {
        let name = try #require(Name("bob"))
        func holder(_ byte: UInt8, pin: UInt8 = 8) throws -> NameHolder {
            let key = try key(byte)
            return NameHolder(name: name, accountKey: key, inbox: try .sample(of: key, pin: pin))
        }
        let pin = try InboxAddress.sample(of: try key(1)).relay.pin
        let id = try book.find(try holder(1), as: nil, at: pin, in: &step).get()
        let changed = KithError.keyChanged(
            contact: "bob", pinned: try key(1).fingerprint, found: try key(2).fingerprint)
        let second = try holder(2)
        #expect(throws: changed) { try book.find(second, as: nil, at: pin, in: &step).get() }
        #expect(book[id]?.conflictingKey == (try key(2)))
        #expect(try book.decideKey(id, accept: false, in: &step).accountKey == key(1))
        #expect(book[id]?.accountKey == (try key(1)) && book[id]?.conflictingKey == nil)
        #expect(throws: changed) { try book.find(second, as: nil, at: pin, in: &step).get() }
        _ = try book.decideKey(id, accept: true, in: &step)
        #expect(book[id]?.accountKey == (try key(2)) && book[id]?.trust == .unverified)
        let (old, new) = (try key(1), try key(2))
        #expect(book[old] == nil && book[new]?.id == id)
        #expect(throws: KithError.notFound("conflicting key")) { try book.decideKey(id, accept: true, in: &step) }
        // At another relay, the name may belong to another person, who needs another name here.
        let other = try #require(RelayPin([UInt8](repeating: 9, count: 32)))
        let third = try holder(3, pin: 9)
        book.takeCard(try .sample(of: try key(2)), of: id, from: nil, in: &step)
        #expect(throws: KithError.nameTaken("bob")) { try book.find(third, as: nil, at: other, in: &step).get() }
        #expect(try book.find(third, as: "rob", at: other, in: &step).get() != id)
    }

    @Test("contacts of an earlier version with equal names get numbers, and other names stay")
    mutating func loaded() throws {
        for (number, name) in [(UInt64(1), "bob"), (2, "carol"), (3, "Bob"), (4, "alice")] {
            book.load(
                Contact(
                    id: ContactID(rawValue: number), name: name, accountKey: try key(UInt8(number)),
                    trust: .unverified))
        }
        book.distinguishNames()
        let names = (1...4).map { book[ContactID(rawValue: $0)]?.name }
        #expect(names == ["bob", "carol", "Bob (2)", "alice (2)"])
    }

    @Test("a contact can't get a blank name")
    mutating func blank() throws {
        let id = try meet("bob", 1)
        #expect(throws: KithError.blankName) { try book.rename(id, " \n", in: &step) }
        #expect(book[id]?.name == "bob")
    }
}
