import TLSCodec

@testable import MLS

/// Decodes the input as each kind of object. A decoded object must encode to the same bytes, since it has one encoding.
@Sendable
func fuzzMLSDecoders(_ input: [UInt8]) {
    guard let kind = input.first else { return }
    let bytes = Array(input.dropFirst())
    switch kind % 16 {
    case 0: roundTrip(bytes, MLSMessage.self)
    case 1: roundTrip(bytes, KeyPackage.self)
    case 2: roundTrip(bytes, LeafNode.self)
    case 3: roundTrip(bytes, Welcome.self)
    case 4: roundTrip(bytes, GroupInfo.self)
    case 5: roundTrip(bytes, Commit.self)
    case 6: roundTrip(bytes, Proposal.self)
    case 7: roundTrip(bytes, PublicMessage.self)
    case 8: roundTrip(bytes, PrivateMessage.self)
    case 9: roundTrip(bytes, GroupContext.self)
    case 10: roundTrip(bytes, PreSharedKeyID.self)
    case 11: roundTrip(bytes, Capabilities.self)
    case 12: roundTrip(bytes, AppDataDictionary.self)
    case 13: roundTrip(bytes, CommitEffect.self)
    case 14: _ = try? Group(restoring: SecretBytes(bytes), records: [])
    default: tree(bytes)
    }
}

private func roundTrip<T: TLSCodable>(_ bytes: [UInt8], _: T.Type) {
    guard let value = try? T(decoding: bytes) else { return }
    precondition(value.encoded == bytes, "another encoding of \(T.self)")
}

/// A decoded tree is verified too. Verification must end soon, however the tree is made.
private func tree(_ bytes: [UInt8]) {
    guard var tree = try? RatchetTree(decoding: bytes, .sha256) else { return }
    precondition(tree.encoded == bytes, "another encoding of a tree")
    let context = GroupContext(
        cipherSuite: .x25519AES128SHA256Ed25519, groupID: [1], epoch: 1, treeHash: tree.treeHash(),
        confirmedTranscriptHash: [], extensions: [])
    _ = try? tree.verifyParentHashes()
    let environment = MLSEnvironment(authentication: AcceptEveryCredential(), now: 0)
    _ = try? UnverifiedRatchetTree(decoding: bytes, .sha256, within: .ordinary).verify(context: context, environment)
}
