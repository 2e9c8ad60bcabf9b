import Foundation
import Testing

@testable import MLS

/// One row of `Docs/mls-validation.md`: a rule, the error that names it, and an input that breaks nothing else.
struct ValidationRow: Sendable, CustomTestStringConvertible {
    let id: String
    let expected: MLSError
    let attack: @Sendable () throws -> Void

    init(_ id: String, _ expected: MLSError, _ attack: @escaping @Sendable () throws -> Void) {
        self.id = id
        self.expected = expected
        self.attack = attack
    }

    var testDescription: String { id }

    static let all = keyPackages + leafNodes + proposals + commits + messages + trees + welcomes
}

@Suite("Validation")
struct ValidationTests {
    @Test("an input that breaks one rule is refused with that rule's error", arguments: ValidationRow.all)
    func refused(row: ValidationRow) {
        #expect(throws: row.expected) { try row.attack() }
    }

    @Test("every row of the validation table has its attack, and every attack its row")
    func tableIsComplete() throws {
        let file = URL(fileURLWithPath: #filePath).appending(path: "../../../../Docs/mls-validation.md").standardized
        let table = try String(contentsOf: file, encoding: .utf8)
        var documented: Set<String> = []
        for line in table.split(separator: "\n") where line.hasPrefix("| ") {
            let id = line.dropFirst(2).prefix { $0 != " " }
            if id.contains("-"), id.first?.isUppercase == true { documented.insert(String(id)) }
        }
        let attacked = Set(ValidationRow.all.map(\.id))
        #expect(documented.subtracting(attacked) == [])
        #expect(attacked.subtracting(documented) == [])
        #expect(attacked.count == ValidationRow.all.count, "an id is used twice")
    }

    @Test("the forge's unchanged products are accepted, so the change is the reason for a refusal")
    func forgeIsSound() throws {
        try Forge.keyPackage().verify(in: testEnvironment())
        let members = try TestMembers(["alice", "bob", "carol"])
        let bundle = try testBundle("dave")
        let welcome = try Forge(group: members.groups[0]).welcome(bundle)
        #expect(throws: Never.self) { try Group(joining: welcome, with: bundle, in: testEnvironment()) }
        var receiver = members.groups[1]
        try receiver.hear(Forge(group: members.groups[0]).update { _ in })
    }

    @Test("a refused message leaves no trace in the group")
    func unchangedAfterRefusal() throws {
        var members = try TestMembers(["alice", "bob", "carol"])
        let before = members.groups[1].epochState
        let records = members.groups[1].records.map { ($0.key, $0.content) }
        let forge = Forge(group: members.groups[0])
        let attacks = [
            try forge.commit([.remove(LeafIndex(7))]),
            try forge.message(.commit(Commit(proposals: [], path: try forge.path()))),
            try forge.message(.proposal(.remove(LeafIndex(9)))),
        ]
        for attack in attacks {
            #expect(throws: MLSError.self) { try members.groups[1].process(attack, in: members.environment) }
        }
        #expect(members.groups[1].epochState == before)
        for (old, new) in zip(records, members.groups[1].records) {
            #expect(old.0 == new.key && old.1 == new.content)
        }
        try members.checkAgreement()
    }
}

/// A group of three whose second member receives what the first forges.
struct Victim {
    var members: TestMembers

    init(
        _ names: [String] = ["alice", "bob", "carol"], suite: CipherSuite = .x25519AES128SHA256Ed25519,
        extensions: [Extension] = [], capabilities: Capabilities = Capabilities()
    ) throws {
        members = try TestMembers(names, suite: suite, extensions: extensions, capabilities: capabilities)
    }

    var forge: Forge { Forge(group: members.groups[0]) }

    mutating func receive(_ message: MLSMessage, _ environment: MLSEnvironment = testEnvironment()) throws {
        _ = try members.groups[1].process(message.delivered, in: environment)
    }

    /// Commits proposals that were sent before; the commit is judged by `environment`.
    mutating func hearAndCommit(
        _ proposals: [PublicMessage], path: Bool = true, in environment: MLSEnvironment = testEnvironment()
    ) throws {
        var references: [ProposalOrRef] = []
        for proposal in proposals {
            try receive(.publicMessage(proposal))
            let content = AuthenticatedContent(
                wireFormat: .publicMessage, content: proposal.content, auth: proposal.auth)
            references.append(.reference(forge.group.algorithms.hash.proposalRef(content.encoded)))
        }
        try receive(
            forge.message(.commit(Commit(proposals: references, path: path ? try forge.path() : nil))), environment)
    }
}
