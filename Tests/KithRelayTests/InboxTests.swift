import Crypto
import KithClient
import KithWire
import RelayTestSupport
import TestSupport
import Testing

@testable import KithRelay

@Suite("Inboxes and names")
struct InboxTests {
    private func withdraw(_ connection: RelayConnection, _ channel: KnownChannel) async throws -> ([UInt8], Bool) {
        let reply = try await connection.request(.withdraw(channel: channel.id))
        guard case .keyPackage(let package, let isLastResort) = reply else { throw UnexpectedReply(reply) }
        return (Array(package.bytes), isLastResort)
    }

    @Test("each one-time key package is given out exactly once, also under concurrent requests; then the last resort")
    func keyPackages() async throws {
        try await withRelay(limits: { $0.withdrawAddressBurst = 50 }) { relay in
            let (owner, inbox) = try await relay.connectWithChannel()
            let packages = (0..<40).map { KeyPackageBytes([UInt8($0)]) }
            let lastResort = KeyPackageBytes([0xff])
            _ = try await owner.request(
                .deposit(channel: inbox.id, keyPackages: packages, lastResort: lastResort))
            var senders: [RelayConnection] = []
            for _ in 0..<5 {
                let sender = try await relay.connect()
                try await sender.present(inbox, [inbox.append])
                senders.append(sender)
            }
            let given = try await withThrowingTaskGroup(of: ([UInt8], Bool).self) { group in
                for index in 0..<45 {
                    let sender = senders[index % 5]
                    group.addTask { try await withdraw(sender, inbox) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let oneTime = given.filter { !$0.1 }.map(\.0)
            #expect(Set(oneTime) == Set(packages.map { Array($0.bytes) }))
            #expect(oneTime.count == 40)
            #expect(given.filter(\.1).map(\.0) == Array(repeating: [0xff], count: 5))
        }
    }

    @Test("an empty shelf refuses with `notFound`, and too frequent withdrawals with `tooFast`")
    func emptyAndTooFast() async throws {
        let clock = TestClock()
        try await withRelay(limits: { $0.withdrawBurst = 3 }, clock: clock) { relay in
            let (owner, inbox) = try await relay.connectWithChannel()
            for _ in 0..<3 {
                #expect(try await owner.refusal(of: .withdraw(channel: inbox.id))?.code == .notFound)
            }
            let refusal = try await owner.refusal(of: .withdraw(channel: inbox.id))
            #expect(refusal?.code == .tooFast)
            #expect((refusal?.retryAfterMs ?? 0) > 0)
            clock.advance(seconds: 2)
            #expect(try await owner.refusal(of: .withdraw(channel: inbox.id))?.code == .notFound)
            // The rate does not depend on the wall clock.
            clock.setBack(seconds: 86_400)
            clock.advance(seconds: 2)
            #expect(try await owner.refusal(of: .withdraw(channel: inbox.id))?.code == .notFound)
        }
    }

    @Test("a full inbox refuses letters, keeps the waiting ones, and accepts letters again after a trim")
    func fullInbox() async throws {
        try await withRelay(limits: {
            $0.inboxEntries = 4
            $0.inboxBytes = 100
            $0.inboxAddresses = 1
        }) { relay in
            let (owner, inbox) = try await relay.connectWithChannel(.inbox)
            let sender = try await relay.connect()
            try await sender.present(inbox, [inbox.append])
            for number in 1...4 { try await sender.append("letter \(number)", to: inbox) }
            let more = Request.append(channel: inbox.id, epoch: 0, id: .random(), payload: [1])
            let refusal = try await sender.refusal(of: more)
            #expect(refusal?.code == .full && refusal?.detail == 4 && (refusal?.retryAfterMs ?? 0) > 0)
            let follow = try await owner.follow(inbox.id, epoch: 0, fromSeq: 1)
            #expect(try await follow.entries(4).map(\.text) == (1...4).map { "letter \($0)" })
            #expect(try await owner.request(.trim(channel: inbox.id, throughSeq: 2)) == .done)
            #expect(try await sender.append("letter 5", to: inbox) == 5)
            // The bytes are limited, too.
            let large = Request.append(
                channel: inbox.id, epoch: 0, id: .random(), payload: [UInt8](repeating: 7, count: 80)[...])
            #expect(try await sender.refusal(of: large)?.code == .full)
            #expect(try await follow.entries(1).map(\.text) == ["letter 5"])
            let late = try await relay.connect()
            try await late.present(inbox, [inbox.read])
            await #expect(throws: RelayConnectionError.refused(.trimmed(firstSeq: 3))) {
                try await late.follow(inbox.id, epoch: 0, fromSeq: 2)
            }
        }
    }

    @Test("a trim may be repeated and exceed the last entry; only an inbox's owner may trim, and no inbox is turned")
    func trims() async throws {
        try await withRelay { relay in
            let (owner, inbox) = try await relay.connectWithChannel(.inbox)
            let sender = try await relay.connect()
            try await sender.present(inbox, [inbox.append])
            for _ in 1...3 { try await sender.append("letter", to: inbox) }
            #expect(try await sender.refusal(of: .trim(channel: inbox.id, throughSeq: 1))?.code == .denied)
            for seq: UInt64 in [0, 2, 2, 1, .max, .max] {
                #expect(try await owner.request(.trim(channel: inbox.id, throughSeq: seq)) == .done)
            }
            #expect(try await sender.append("letter", to: inbox) == 4)
            let follow = try await owner.follow(inbox.id, epoch: 0, fromSeq: 4)
            #expect(try await follow.entries(1).map(\.seq) == [4])
            let turn = Request.turn(
                channel: inbox.id, epoch: 0, id: .random(), payload: [], nextAccess: inbox.next().access)
            #expect(try await owner.refusal(of: turn)?.code == .denied)

            let (member, log) = try await relay.connectWithChannel()
            try await member.append("text", to: log)
            #expect(try await member.refusal(of: .trim(channel: log.id, throughSeq: 1))?.code == .denied)
            let other = Request.create(channel: log.id, kind: .inbox, access: log.access, retentionSeconds: nil)
            #expect(try await member.refusal(of: other)?.code == .exists)
            #expect(try await owner.refusal(of: .close(channel: inbox.id)) == nil)
            #expect(try await owner.refusal(of: .trim(channel: inbox.id, throughSeq: 4))?.code == .gone)
        }
    }

    @Test("a shelf has a limit, and a full one refuses a deposit")
    func fullShelf() async throws {
        try await withRelay(limits: { $0.keyPackages = 10 }) { relay in
            let (owner, inbox) = try await relay.connectWithChannel()
            let eight = Request.deposit(
                channel: inbox.id, keyPackages: (0..<8).map { KeyPackageBytes([$0]) }, lastResort: nil)
            #expect(try await owner.refusal(of: eight) == nil)
            #expect(try await owner.refusal(of: eight)?.code == .full)
            #expect(try await withdraw(owner, inbox).0 == [0])
            // A megabyte of empty packages would take many megabytes in memory. Decoding refuses it.
            let flood = Request.deposit(
                channel: inbox.id, keyPackages: Array(repeating: KeyPackageBytes([]), count: 100_000), lastResort: nil)
            #expect(try await owner.refusal(of: flood)?.code == .tooLarge)
        }
    }

    @Test("a name belongs to the first key that registers it; only that key can change it, with a higher version")
    func names() async throws {
        try await withRelay { relay in
            let connection = try await relay.connect()
            let name = try #require(Name("alice"))
            let key = Curve25519.Signing.PrivateKey()
            #expect(try await connection.refusal(of: .lookup(name: name))?.code == .notFound)
            let first = try NameRecord(name: name, version: 1, content: [1], signedBy: key)
            #expect(try await connection.refusal(of: .register(name: name, record: first.unverified)) == nil)
            #expect(try await connection.refusal(of: .register(name: name, record: first.unverified)) == nil)
            #expect(try await connection.request(.lookup(name: name)) == .record(first.unverified))

            let thief = try NameRecord(name: name, version: 9, content: [2], signedBy: Curve25519.Signing.PrivateKey())
            #expect(try await connection.refusal(of: .register(name: name, record: thief.unverified))?.code == .exists)
            let other = try #require(Name("bob"))
            #expect(try await connection.refusal(of: .register(name: other, record: first.unverified))?.code == .denied)

            let third = try NameRecord(name: name, version: 3, content: [3], signedBy: key)
            #expect(try await connection.refusal(of: .register(name: name, record: third.unverified)) == nil)
            let second = try NameRecord(name: name, version: 2, content: [4], signedBy: key)
            #expect(try await connection.refusal(of: .register(name: name, record: second.unverified))?.code == .exists)
            #expect(try await connection.request(.lookup(name: name)) == .record(third.unverified))
        }
    }
}
