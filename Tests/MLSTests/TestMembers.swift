@testable import MLS

/// The members of one group, all in the same epoch.
struct TestMembers {
    var groups: [Group]
    var environment: MLSEnvironment

    /// A group whose creator added the others in one commit.
    init(
        _ names: [String], suite: CipherSuite = .x25519AES128SHA256Ed25519, extensions: [Extension] = [],
        capabilities: Capabilities = Capabilities(), environment: MLSEnvironment = testEnvironment()
    ) throws {
        self.environment = environment
        var creator = try testGroup(
            names[0], suite, extensions: extensions, capabilities: capabilities, environment)
        let bundles = try names.dropFirst().map { try testBundle($0, suite, capabilities: capabilities) }
        groups = []
        guard !bundles.isEmpty else {
            groups = [creator]
            return
        }
        let commit = try creator.commit(CommitOptions(bundles.map { .add($0.keyPackage) }), in: environment)
        try creator.apply(commit)
        groups = [creator]
        guard let welcome = commit.welcome else { throw JSON.Missing(description: "no welcome") }
        for bundle in bundles {
            groups.append(try Group(joining: welcome.asWelcome, with: bundle, in: environment))
        }
    }

    /// Member `index` commits and everyone applies the commit.
    @discardableResult
    mutating func commit(_ index: Int, _ options: CommitOptions = CommitOptions()) throws -> PendingCommit {
        let commit = try groups[index].commit(options, in: environment)
        for other in groups.indices where other != index && groups[other].status == .active {
            try groups[other].follow(commit.message, environment)
        }
        try groups[index].apply(commit)
        return commit
    }

    mutating func propose(_ index: Int, _ message: MLSMessage) throws {
        for other in groups.indices where other != index { try groups[other].hear(message, environment) }
    }

    /// Checks that all active members are in the same epoch and can read each other's messages.
    mutating func checkAgreement() throws {
        let active = groups.indices.filter { groups[$0].status != .removed }
        for index in active {
            try check(
                groups[index].epochAuthenticator == groups[active[0]].epochAuthenticator, "member \(index) diverged")
            try check(groups[index].context == groups[active[0]].context, "context of \(index)")
        }
        guard groups[active[0]].status == .active else { return }
        for sender in active {
            let message = try groups[sender].encrypt([UInt8(sender & 0xff)], in: environment)
            for receiver in active where receiver != sender {
                let received = try groups[receiver].receive(message, environment)
                try check(received.data == [UInt8(sender & 0xff)], "data")
                try check(received.sender == groups[sender].ownLeafIndex, "sender")
            }
        }
    }
}
