import Crypto
import KithWire
import Testing

@testable import KithCore

@Suite("Requests about names")
struct NameRequestsTests {
    private var requests = NameRequests()
    private let asker = NameAsker.register(Ticket(CommandID(rawValue: 1)))
    private let relay = RelayID(rawValue: 1)
    private let inbox = InboxID(rawValue: 4)
    private let name: Name
    private let mine = Curve25519.Signing.PrivateKey()
    private let theirs = Curve25519.Signing.PrivateKey()

    init() throws { name = try #require(Name("alice")) }

    private func account(_ key: Curve25519.Signing.PrivateKey) throws -> AccountKey {
        try #require(AccountKey(Array(key.publicKey.rawRepresentation)))
    }

    private func record(
        _ key: Curve25519.Signing.PrivateKey, version: UInt64 = 5, content: [UInt8] = [1]
    ) throws -> Reply {
        .record(try NameRecord(name: name, version: version, content: content, signedBy: key).unverified)
    }

    private mutating func answer(_ result: Result<Reply, RelayError>) throws -> String? {
        switch requests.didAnswer(asker, result, own: try account(mine)) {
        case .registered(let inbox): "registered \(inbox.rawValue)"
        case .asksAgain: "asks again"
        case .lost(let name, let inbox): "lost \(name.text) \(inbox.rawValue)"
        case .found(let holder, let alias, _): "found \(holder.name.text) as \(alias ?? "itself")"
        case .failed(let error): "failed: \(error)"
        case nil: nil
        }
    }

    private func refusal(_ code: RelayError.Code) -> Result<Reply, RelayError> { .failure(RelayError(code, "no")) }

    private mutating func register() {
        requests.begin(asker, NameRequest(relay: relay, name: name, kind: .register(inbox)))
    }

    @Test("an accepted registration ends its request")
    mutating func registered() throws {
        register()
        #expect(requests.askers(at: relay) == [asker] && requests.askers(registering: inbox) == [asker])
        #expect(try answer(.success(.done)) == "registered 4")
        #expect(requests[asker] == nil)
        #expect(try answer(.success(.done)) == nil)
    }

    @Test("a refused registration is looked up, and the user's own record is registered once with a later version")
    mutating func ownRecord() throws {
        register()
        #expect(try answer(refusal(.exists)) == "asks again")
        #expect(try answer(.success(record(mine, version: 5))) == "asks again")
        #expect(requests[asker]?.version == 6)
        #expect(try answer(refusal(.exists)) == "failed: \(KithError.nameHeld)")
    }

    @Test("another person's name is lost, and a forged record or one of the highest version is an error")
    mutating func others() throws {
        for (reply, result) in [
            (try record(theirs), "lost alice 4"),
            (
                .record(
                    try NameRecord(name: #require(Name("bob")), version: 1, content: [], signedBy: mine).unverified),
                "failed: \(KithError.nameHeld)"
            ),
            (try record(mine, version: .max), "failed: \(KithError.nameHeld)"),
            (.done, "failed: \(KithError.nameHeld)"),
        ] as [(Reply, String)] {
            register()
            #expect(try answer(refusal(.denied)) == "asks again")
            #expect(try answer(.success(reply)) == result)
        }
    }

    @Test("a lookup fails unless the record has an address of the account that holds the name")
    mutating func lookUp() throws {
        let (right, wrong) = (
            try InboxAddress.sample(of: account(theirs)).encoded, try InboxAddress.sample(of: account(mine)).encoded
        )
        for (result, outcome) in [
            (.success(try record(theirs, content: right)), "found alice as al"),
            (.success(try record(theirs, content: wrong)), "failed: \(KithError.nameUnknown)"),
            (.success(try record(theirs, content: [1])), "failed: \(KithError.nameUnknown)"),
            (.success(.done), "failed: \(KithError.nameUnknown)"),
            (refusal(.notFound), "failed: \(KithError.nameUnknown)"),
        ] as [(Result<Reply, RelayError>, String)] {
            requests.begin(asker, NameRequest(relay: relay, name: name, kind: .lookUp(alias: "al")))
            #expect(try answer(result) == outcome)
        }
    }

    @Test("a lost connection drops renewals, but no commands")
    mutating func disconnected() {
        register()
        requests.begin(.renewal(inbox), NameRequest(relay: relay, name: name, kind: .register(inbox)))
        requests.didDisconnect(RelayID(rawValue: 2))
        #expect(requests.askers(at: relay) == [asker, .renewal(inbox)])
        requests.didDisconnect(relay)
        #expect(requests.askers(at: relay) == [asker])
    }

    @Test("any other refusal ends a registration")
    mutating func refused() throws {
        register()
        let busy = RelayError(.tooFast, "no")
        #expect(try answer(.failure(busy)) == "failed: \(KithError.relay(.refused(busy)))")
        #expect(requests[asker] == nil)
    }
}
