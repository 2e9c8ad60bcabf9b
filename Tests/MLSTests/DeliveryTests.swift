import TestSupport
import Testing

@testable import MLS

@Suite("Delivery")
struct DeliveryTests {
    @Test("a copy damaged at any byte is refused, and the genuine message is read afterwards")
    func damagedCopyFirst() throws {
        var members = try TestMembers(["alice", "bob"])
        let message = try members.groups[0].encrypt(
            Array("hello".utf8), authenticatedData: [1, 2], in: members.environment)
        let genuine = message.encoded
        let state = members.groups[1].epochState
        for position in genuine.indices {
            var damaged = genuine
            damaged[position] ^= 0x01
            #expect(throws: MLSError.self) { try members.groups[1].process(damaged, in: members.environment) }
        }
        for length in genuine.indices {
            #expect(throws: MLSError.self) {
                try members.groups[1].process(Array(genuine[..<length]), in: members.environment)
            }
        }
        #expect(members.groups[1].epochState == state)
        #expect(try members.groups[1].receive(message).data == Array("hello".utf8))
    }

    @Test("a commit or proposal damaged at any byte is refused, and the genuine one is processed")
    func damagedHandshakes() throws {
        for encrypts in [true, false] {
            let environment = testEnvironment { $0.configuration.encryptsHandshakes = encrypts }
            var members = try TestMembers(["alice", "bob", "carol"], environment: environment)
            let proposal = try members.groups[2].proposeUpdate(in: environment)
            try refuseAllDamage(proposal.encoded, &members.groups[1])
            try members.propose(2, proposal)
            let commit = try members.groups[0].commit(in: environment)
            try refuseAllDamage(commit.message.encoded, &members.groups[1])
            try members.groups[1].follow(commit.message)
            try members.groups[2].follow(commit.message)
            try members.groups[0].apply(commit)
            try members.checkAgreement()
        }
    }

    private func refuseAllDamage(_ genuine: [UInt8], _ group: inout Group) throws {
        let before = group.records.map { ($0.key, $0.content) }
        for position in genuine.indices {
            var damaged = genuine
            damaged[position] ^= 0x80
            #expect(throws: MLSError.self, "byte \(position)") { try group.process(damaged, in: testEnvironment()) }
        }
        #expect(zip(before, group.records).allSatisfy { $0.0 == $1.key && $0.1 == $1.content })
    }

    @Test("a Welcome damaged at any byte lets nobody in")
    func damagedWelcome() throws {
        var alice = try testGroup("alice")
        let bundle = try testBundle("bob")
        let commit = try alice.commit(CommitOptions([.add(bundle.keyPackage)]), in: testEnvironment())
        let genuine = try #require(commit.welcome).encoded
        for position in genuine.indices {
            var damaged = genuine
            damaged[position] ^= 0x04
            #expect(throws: (any Error).self, "byte \(position)") {
                guard case .welcome(let welcome) = try MLSMessage.decode(damaged) else {
                    throw JSON.Missing(description: "not a Welcome")
                }
                _ = try Group(joining: welcome, with: bundle, in: testEnvironment())
            }
        }
    }

    @Test("messages in any order within the window are read once each, and gaps show in the generations")
    func reordering() throws {
        var members = try TestMembers(["alice", "bob"])
        var random = SeededGenerator(seed: 7)
        var messages: [MLSMessage] = []
        for index in 0..<60 { messages.append(try members.groups[0].encrypt([UInt8(index)], in: members.environment)) }
        let order = (0..<60).filter { $0 != 13 }.shuffled(using: &random)
        for index in order {
            let received = try members.groups[1].receive(messages[index])
            #expect(received.data == [UInt8(index)] && received.generation == UInt32(index))
        }
        for index in order {
            #expect(throws: MLSError.message(.generationConsumed)) { try members.groups[1].receive(messages[index]) }
        }
        #expect(try members.groups[1].receive(messages[13]).data == [13])
    }

    @Test("a message older than the window is refused and its key is gone")
    func window() throws {
        let environment = testEnvironment { $0.configuration.outOfOrderWindow = 5 }
        var members = try TestMembers(["alice", "bob"], environment: environment)
        var messages: [MLSMessage] = []
        for index in 0..<10 { messages.append(try members.groups[0].encrypt([UInt8(index)], in: environment)) }
        _ = try members.groups[1].receive(messages[9], environment)
        #expect(throws: MLSError.message(.generationConsumed)) {
            try members.groups[1].receive(messages[3], environment)
        }
        #expect(try members.groups[1].receive(messages[4], environment).data == [4])
    }
}

/// Random histories of members of this module. Members agree or refuse, and a refused message leaves no trace.
@Suite("Random histories of a group")
struct HistoryTests {
    @Test("members with lost, repeated, reordered and damaged messages stay in agreement", arguments: 0..<6)
    func smallGroups(seed: UInt64) throws {
        try History(seed: seed, largest: 24).run(steps: 30)
    }

    @Test("a group grows to 200 members and stays in agreement", arguments: [100] as [UInt64])
    func largeGroup(seed: UInt64) throws {
        try History(seed: seed, largest: 200, growth: 40).run(steps: 8)
    }

    private final class History {
        private var random: SeededGenerator
        private let seed: UInt64
        private let largest: Int
        private let growth: Int
        private var members: TestMembers
        private var names = 0

        init(seed: UInt64, largest: Int, growth: Int = 4) throws {
            self.seed = seed
            self.largest = largest
            self.growth = growth
            random = SeededGenerator(seed: seed)
            members = try TestMembers(["founder"])
            members.environment.preSharedKey = { $0 == .external(id: [1]) ? SecretBytes([1, 2, 3]) : nil }
        }

        func run(steps: Int) throws {
            for step in 0..<steps {
                do { try self.step() } catch {
                    throw JSON.Missing(description: "seed \(seed), step \(step): \(error)")
                }
            }
        }

        private func step() throws {
            members.environment.configuration.encryptsHandshakes = Bool.random(using: &random)
            if Int.random(in: 0..<5, using: &random) == 0, members.groups.count < largest {
                try joinExternally()
                return try talk()
            }
            let committer = Int.random(in: 0..<members.groups.count, using: &random)
            var joining: [KeyPackageBundle] = []
            try propose(besides: committer, &joining)
            var options = CommitOptions()
            options.renewsPath = Int.random(in: 0..<4, using: &random) > 0
            if Int.random(in: 0..<4, using: &random) == 0 {
                let nonce = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
                options.proposals.append(.preSharedKey(PreSharedKeyID(kind: .external(id: [1]), nonce: nonce)))
            }
            if Bool.random(using: &random), members.groups.count < largest {
                let room = largest - members.groups.count - joining.count
                for _ in 0..<min(room, Int.random(in: 1...growth, using: &random)) {
                    let bundle = try newcomer()
                    joining.append(bundle)
                    options.proposals.append(.add(bundle.keyPackage))
                }
            }
            if members.groups.count > 3, Int.random(in: 0..<3, using: &random) == 0 {
                let victim = other(than: [committer])
                options.proposals.append(.remove(members.groups[victim].ownLeafIndex))
            }
            // Sometimes two commit at once and one loses.
            if Int.random(in: 0..<4, using: &random) == 0, members.groups.count > 1 {
                let loser = (committer + 1) % members.groups.count
                _ = try members.groups[loser].commit(in: members.environment)
            }
            let commit = try members.groups[committer].commit(options, in: members.environment)
            for other in members.groups.indices where other != committer {
                try deliver(commit.message, to: other)
            }
            try members.groups[committer].apply(commit)
            let old = commit
            members.groups.removeAll { $0.status == .removed }
            for bundle in joining {
                guard let welcome = commit.welcome else { throw JSON.Missing(description: "no welcome") }
                members.groups.append(try Group(joining: welcome.asWelcome, with: bundle, in: members.environment))
            }
            // The repeated commit is of an old epoch by now.
            let anyone = Int.random(in: 0..<members.groups.count, using: &random)
            do {
                _ = try members.groups[anyone].process(old.message, in: members.environment)
                throw JSON.Missing(description: "an old commit was accepted")
            } catch is MLSError {}
            try talk()
        }

        private func newcomer() throws -> KeyPackageBundle {
            names += 1
            return try testBundle("member \(names)")
        }

        private func other(than excluded: Set<Int>) -> Int {
            members.groups.indices.filter { !excluded.contains($0) }.randomElement(using: &random) ?? 0
        }

        private func propose(besides committer: Int, _ joining: inout [KeyPackageBundle]) throws {
            guard members.groups.count > 3, Bool.random(using: &random) else { return }
            let proposer = other(than: [committer])
            let message: MLSMessage
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let bundle = try newcomer()
                joining.append(bundle)
                message = try members.groups[proposer].propose(.add(bundle.keyPackage), in: members.environment)
            case 1:
                let leaf = members.groups[other(than: [committer, proposer])].ownLeafIndex
                message = try members.groups[proposer].propose(.remove(leaf), in: members.environment)
            case 2: message = try members.groups[proposer].proposeLeaving(in: members.environment)
            default: message = try members.groups[proposer].proposeUpdate(in: members.environment)
            }
            for other in members.groups.indices where other != proposer {
                try members.groups[other].hear(message, members.environment)
            }
        }

        /// A newcomer joins by its own commit, or a member rejoins in place of its old leaf.
        private func joinExternally() throws {
            let info = try members.groups[0].groupInfo().asGroupInfo
            var client = try newcomer().client
            var old: LeafIndex?
            if members.groups.count > 2, Bool.random(using: &random) {
                let index = other(than: [0])
                let group = members.groups[index]
                old = group.ownLeafIndex
                client = Client(
                    credential: group.tree[group.ownLeafIndex]?.credential ?? client.credential, signer: group.signer)
            }
            let join = try Group.joinExternally(info, client: client, .init(removing: old), in: members.environment)
            for index in members.groups.indices { try deliver(join.message, to: index) }
            members.groups.removeAll { $0.status == .removed }
            members.groups.append(join.group)
        }

        /// A damaged copy comes first and is refused; then the genuine one.
        private func deliver(_ message: MLSMessage, to index: Int) throws {
            var damaged = message.encoded
            damaged[Int.random(in: 0..<damaged.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            do {
                _ = try members.groups[index].process(damaged, in: members.environment)
                throw JSON.Missing(description: "a damaged commit was accepted")
            } catch is MLSError {}
            try members.groups[index].follow(message, members.environment)
        }

        private func talk() throws {
            let first = members.groups[0].epochAuthenticator
            for group in members.groups where group.epochAuthenticator != first {
                throw JSON.Missing(description: "members diverged")
            }
            let sender = Int.random(in: 0..<members.groups.count, using: &random)
            var messages: [MLSMessage] = []
            for index in 0..<5 {
                messages.append(try members.groups[sender].encrypt([UInt8(index)], in: members.environment))
            }
            for receiver in members.groups.indices where receiver != sender {
                // Some are lost; the others arrive in any order.
                for index in [0, 1, 2, 3, 4].shuffled(using: &random).dropLast(Int.random(in: 0...2, using: &random)) {
                    let received = try members.groups[receiver].receive(messages[index], members.environment)
                    guard received.data == [UInt8(index)] else { throw JSON.Missing(description: "data") }
                }
            }
        }
    }
}
