import TLSCodec
import Testing

@testable import MLS

/// Self-removes that a joiner includes in an external commit.
@Suite("Self-removes and joiners")
struct SelfRemoveJoiningTests {
    @Test("a joiner does not include a self-remove of another group or epoch")
    func selfRemovesOfAnotherPlace() throws {
        var members = try TestMembers(["alice", "bob"])
        let elsewhere = try TestMembers(["carol", "dan"]).groups[1].forgedSelfRemove(groupID: [7])
        let leaving = try members.groups[1].forgedSelfRemove()
        try members.commit(0)
        let info = try members.groups[0].groupInfo().asGroupInfo
        #expect(throws: MLSError.message(.groupID)) {
            try Group.joinExternally(
                info, client: testClient("dave"), .init(selfRemoves: [elsewhere]), in: testEnvironment())
        }
        #expect(throws: MLSError.message(.epoch(current: 2, message: 1))) {
            try Group.joinExternally(
                info, client: testClient("dave"), .init(selfRemoves: [leaving]), in: testEnvironment())
        }
    }

    @Test("a joiner includes a member's first self-remove, and none if some member does not support them")
    func selfRemovesOfOneMember() throws {
        let members = try TestMembers(["alice", "bob", "carol"])
        let info = try members.groups[0].groupInfo().asGroupInfo
        var first = members.groups[1]
        var second = members.groups[1]
        let messages = [
            try first.propose(.selfRemove, in: members.environment),
            try second.propose(.selfRemove, authenticatedData: [1], in: members.environment),
        ]
        let leaving = messages.compactMap { if case .publicMessage(let message) = $0 { message } else { nil } }
        let join = try Group.joinExternally(
            info, client: testClient("dave"), .init(selfRemoves: leaving), in: members.environment)
        #expect(join.effect.removed.map(\.index) == [LeafIndex(1)])
        for index in [0, 2] {
            var group = members.groups[index]
            try group.hear(messages[0])
            #expect(try group.follow(join.message).removed.map(\.index) == [LeafIndex(1)])
        }

        let old = try TestMembers(["alice", "bob"], capabilities: Capabilities(proposals: []))
        #expect(throws: MLSError.proposals(.unsupportedType)) {
            try Group.joinExternally(
                old.groups[0].groupInfo().asGroupInfo, client: testClient("dave"),
                .init(selfRemoves: [old.groups[1].forgedSelfRemove()]), in: testEnvironment())
        }
        // Even if that member is the one that leaves.
        var alice = try testGroup("alice")
        let bob = try testBundle("bob", capabilities: Capabilities(proposals: []))
        let commit = try alice.commit(CommitOptions([.add(bob.keyPackage)]), in: testEnvironment())
        try alice.apply(commit)
        let group = try Group(joining: try #require(commit.welcome).asWelcome, with: bob, in: testEnvironment())
        #expect(throws: MLSError.proposals(.unsupportedType)) {
            try Group.joinExternally(
                alice.groupInfo().asGroupInfo, client: testClient("dave"),
                .init(selfRemoves: [group.forgedSelfRemove()]), in: testEnvironment())
        }
    }
}

extension Group {
    /// A self-remove by this member.
    fileprivate func forgedSelfRemove(groupID: [UInt8]? = nil) throws -> PublicMessage {
        try Forge(group: self).publicMessage(.proposal(.selfRemove)) { if let groupID { $0.groupID = groupID } }
    }
}
