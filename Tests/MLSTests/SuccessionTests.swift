import Testing

@testable import MLS

/// A group that continues or branches from another must be exactly the announced one (RFC 9420 §11.2, §11.3). Its creator
/// knows the old group's key here, so only the other rules can refuse it.
@Suite("Succession")
struct SuccessionTests {
    /// The parts of a successor; all are as announced until one is changed.
    struct Plan: Sendable {
        var usage = ResumptionUsage.reInit
        var groupID: [UInt8] = [1, 2]
        var suite = CipherSuite.p256AES128SHA256P256
        var extensions: [Extension] = []
        var added = ["alice", "carol"]
        /// The age of the old group's key, in epochs before the last one.
        var epochsBefore: UInt64 = 0
        var oldGroupID: [UInt8]?
    }

    private static let announced = ReInit(groupID: [1, 2], cipherSuite: .p256AES128SHA256P256)

    /// Alice, who was in the old group with bob and carol, joins bob's new one.
    @discardableResult
    private func join(isReinitialized: Bool, _ change: (inout Plan) -> Void) throws -> Group {
        var plan = Plan()
        change(&plan)
        var old = try TestMembers(["alice", "bob", "carol"])
        try old.commit(0)
        if isReinitialized { try old.commit(0, CommitOptions([.reInit(Self.announced)])) }
        let epoch = old.groups[1].epoch - plan.epochsBefore
        let key =
            plan.epochsBefore == 0
            ? old.groups[1].resumptionPSK : old.groups[1].resumptionPSKs.first { $0.epoch == epoch }?.secret
        let id = PreSharedKeyID(
            kind: .resumption(usage: plan.usage, groupID: plan.oldGroupID ?? old.groups[1].groupID, epoch: epoch),
            nonce: [UInt8](repeating: 1, count: 32))
        let environment = testEnvironment { $0.preSharedKey = { $0 == id.kind ? key : nil } }
        var group = try Group(
            creating: plan.groupID, suite: plan.suite, client: testClient("bob", plan.suite),
            extensions: plan.extensions, lifetime: testLifetime, in: environment)
        let bundles = try plan.added.map { try testBundle($0, plan.suite) }
        var options = CommitOptions(bundles.map { .add($0.keyPackage) } + [.preSharedKey(id)])
        options.allowedUsage = plan.usage == .application ? nil : plan.usage
        let welcome = try #require(try group.commit(options, in: environment).welcome).asWelcome
        return try Group(
            joining: welcome, with: bundles[0], predecessor: plan.usage == .application ? nil : old.groups[0],
            in: environment)
    }

    @Test("the announced successor can be joined")
    func successor() throws {
        #expect(throws: Never.self) { try join(isReinitialized: true) { _ in } }
        #expect(throws: Never.self) {
            try join(isReinitialized: false) {
                $0.usage = .branch
                $0.suite = .x25519AES128SHA256Ed25519
            }
        }
    }

    @Test(
        "a successor that differs from the announcement is refused",
        arguments: [
            { $0.groupID = [1, 3] }, { $0.suite = .x25519ChaCha20SHA256Ed25519 },
            { $0.extensions = [.externalSenders([])] }, { $0.added = ["alice"] }, { $0.epochsBefore = 1 },
            { $0.oldGroupID = [9] },
        ] as [@Sendable (inout Plan) -> Void])
    func notAsAnnounced(change: @Sendable (inout Plan) -> Void) throws {
        #expect(throws: MLSError.joining(.reInitMismatch)) {
            try join(isReinitialized: true, change)
        }
    }

    @Test("a group that was not reinitialized has no successor, and one that was has no branches")
    func wrongLink() throws {
        #expect(throws: MLSError.joining(.reInitMismatch)) { try join(isReinitialized: false) { _ in } }
        #expect(throws: MLSError.joining(.branchMismatch)) {
            try join(isReinitialized: true) {
                $0.usage = .branch
                $0.suite = .x25519AES128SHA256Ed25519
            }
        }
    }

    @Test("a branch has its group's suite and only members of that group")
    func branches() throws {
        #expect(throws: MLSError.joining(.branchMismatch)) {
            try join(isReinitialized: false) { $0.usage = .branch }
        }
        #expect(throws: MLSError.joining(.branchMismatch)) {
            try join(isReinitialized: false) {
                $0.usage = .branch
                $0.suite = .x25519AES128SHA256Ed25519
                $0.added = ["alice", "mallory"]
            }
        }
    }

    @Test("a PSK of usage `application` links no groups")
    func applicationUse() throws {
        #expect(throws: Never.self) { try join(isReinitialized: false) { $0.usage = .application } }
    }
}
