import TLSCodec

/// The reason that an operation was refused. A call that throws one of these has changed nothing.
///
/// Each case says what a caller can do about it; the payload says which rule was broken.
public enum MLSError: Error, Hashable, Sendable {
    /// The bytes are not an encoding of what was expected. Drop them.
    case malformed(TLSCodecError)
    /// The suite is not one that this module can use (RFC 9420 §5.1). Nothing to do but use another.
    case unsupportedCipherSuite(CipherSuite)
    /// A primitive refused its input: a ciphertext that does not open, a key that is none.
    case crypto(CryptoFailure)
    /// A key package may not be used (§10.1). Ask for another.
    case keyPackage(KeyPackageError)
    /// A leaf node is invalid (§7.3).
    case leafNode(LeafNodeError)
    /// A ratchet tree is invalid (§7, §12.4.3.1).
    case tree(RatchetTreeError)
    /// A message may not be processed (§6).
    case message(MessageError)
    /// A list of proposals may not be committed (§12.2).
    case proposals(ProposalListError)
    /// A commit may not be applied (§12.4.2).
    case commit(CommitError)
    /// A Welcome or GroupInfo may not be joined with (§12.4.3).
    case joining(JoiningError)
    /// A pre-shared key is missing or may not be used (§8.4, §12.1.4).
    case preSharedKey(PreSharedKeyError)
    /// The call makes no sense in the group's current state. A mistake in the program.
    case usage(UsageError)
    /// Stored state cannot be read back.
    case storage(StorageError)
    /// This module contradicted itself. Please report it.
    case internalError
}

/// A primitive that refused its input.
public enum CryptoFailure: Hashable, Sendable {
    /// Sealing failed.
    case seal
    /// A ciphertext did not authenticate.
    case open
    /// A KEM could not encapsulate to a key.
    case encapsulate
    /// A KEM could not decapsulate.
    case decapsulate
    /// A private key's bytes are none of its suite.
    case invalidPrivateKey
    /// A public key's bytes are none of its suite (§5.1.1).
    case invalidPublicKey
    /// No key came out of a derivation.
    case keyDerivation
    /// Signing failed.
    case sign
}

/// A key package that may not be used (RFC 9420 §10.1).
public enum KeyPackageError: Hashable, Sendable {
    /// Its version is not the group's.
    case version
    /// Its cipher suite is not the group's.
    case cipherSuite
    /// Its signature does not verify.
    case signature
    /// Its init key is its leaf's encryption key.
    case initKeyIsEncryptionKey
    /// A list of extensions names a type twice (§13.4).
    case duplicateExtension
}

/// An invalid leaf node (RFC 9420 §7.3).
public enum LeafNodeError: Hashable, Sendable {
    /// The authentication service refused the credential (§5.3.1).
    case credential
    /// The signature does not verify.
    case signature
    /// A required extension, proposal or credential type is not in the capabilities (§11.1).
    case requiredCapability
    /// An extension of the group context is not in the capabilities (§13.4).
    case groupExtensionUnsupported
    /// The capabilities do not list the group's version or cipher suite.
    case versionOrCipherSuiteUnsupported
    /// Its credential type is not supported by every member.
    case credentialTypeUnsupportedByMember
    /// Its own credential type is not in its capabilities (§7.2).
    case credentialTypeNotInCapabilities
    /// The current time is outside the lifetime.
    case lifetime
    /// The lifetime is longer than the application accepts (§7.2).
    case lifetimeTooLong
    /// One of its extensions is not in its capabilities.
    case extensionNotInCapabilities
    /// A list of extensions names a type twice (§13.4).
    case duplicateExtension
    /// The capabilities list a default type (§7.2).
    case defaultTypeInCapabilities
    /// `leaf_node_source` does not fit the leaf's place.
    case source
    /// An update keeps the encryption key.
    case encryptionKeyNotChanged
    /// Another member has the same signature key.
    case duplicateSignatureKey
    /// Another node has the same encryption key.
    case duplicateEncryptionKey
    /// The successor's identity is not one the application accepts for the member (§5.3.1).
    case notASuccessor
    /// The encryption key is no key of the suite (§5.1.1).
    case invalidEncryptionKey
}

/// An invalid ratchet tree (RFC 9420 §7, §12.4.3.1, §12.4.3.3).
public enum RatchetTreeError: Hashable, Sendable {
    /// The tree has no node, or its last node is blank (§12.4.3.3).
    case trailingBlank
    /// A leaf is where a parent belongs, or the other way round.
    case nodeType
    /// The tree has more leaves than ``Limits/members``.
    case tooLarge
    /// The tree has more blank leaves for each member than the application accepts (``MLSConfiguration/treeWidth``).
    case tooSparse
    /// The tree hash is not the one that was announced.
    case treeHash
    /// A parent node is not parent-hash valid (§7.9.2).
    case parentHash
    /// An unmerged leaf is blank or not below its parent.
    case unmergedLeaf
    /// An intermediate node lacks an unmerged leaf of a node above it.
    case unmergedLeafMissingBelow
    /// Unmerged leaves are not in ascending order (§7.1).
    case unmergedLeavesOrder
    /// An encryption key appears in two nodes.
    case duplicateEncryptionKey
    /// A parent's encryption key is no key of the suite (§5.1.1).
    case invalidEncryptionKey
}

/// A message that may not be processed (RFC 9420 §6).
public enum MessageError: Hashable, Sendable {
    /// Its wire format is not one for this purpose.
    case wireFormat
    /// It is for another group.
    case groupID
    /// It is for another epoch.
    case epoch(current: UInt64, message: UInt64)
    /// Its sender is no member.
    case sender
    /// Its sender type may not send such content (§6).
    case senderType
    /// The signature does not verify (§6.1).
    case signature
    /// The membership tag does not verify (§6.2).
    case membershipTag
    /// Application data in a PublicMessage (§6.2, §15).
    case publicApplicationData
    /// It did not decrypt (§6.3).
    case decryption
    /// The padding is not zero (§6.3.1).
    case padding
    /// Its key was used already: it is a repeat, or too old.
    case generationConsumed
    /// Its generation is too far ahead (``MLSConfiguration/maximumForwardDistance``).
    case generationTooFarAhead
    /// This member sent it.
    case fromSelf
    /// A proposal type that an external sender may not send (§12.1.8).
    case externalProposalType
    /// A self-remove that came encrypted or from outside (draft-ietf-mls-extensions).
    case selfRemove
}

/// A list of proposals that may not be committed (RFC 9420 §12.2).
public enum ProposalListError: Hashable, Sendable {
    /// A reference to a proposal that was not received.
    case unknownReference
    /// An Update by the committer.
    case updateByCommitter
    /// A Remove of the committer.
    case committerRemoved
    /// Two changes of one leaf.
    case multipleChangesOfLeaf
    /// Two Adds for one client.
    case multipleAddsOfClient
    /// An Add for a client that is a member and is not removed.
    case clientIsMember
    /// Two PreSharedKey proposals for one PSK.
    case duplicatePreSharedKey
    /// Two GroupContextExtensions proposals.
    case multipleGroupContextExtensions
    /// A ReInit together with something else.
    case reInitNotAlone
    /// An ExternalInit in a commit that is not external.
    case externalInit
    /// A type that not every member supports (§13.2).
    case unsupportedType
    /// A Remove of a blank leaf (§12.1.3).
    case removedLeafBlank
    /// An Update whose sender is no member, or an Update by value (§12.1.2).
    case updateSender
    /// A ReInit to an older version (§12.1.5).
    case reInitVersion
    /// Required capabilities that some member lacks (§12.1.7).
    case requiredCapabilities
    /// A group context extension that some member does not support (§13.4).
    case groupExtensionUnsupported
    /// A group context extension that the application does not take (``MLSConfiguration/allowedGroupExtensions``).
    case groupExtensionRefused
    /// A list of extensions that names a type twice (§13.4).
    case duplicateExtension
    /// The list of an external commit breaks §12.2.
    case externalCommit
    /// A self-remove that is not by reference, or twice for one leaf (draft-ietf-mls-extensions).
    case selfRemove
    /// A content of an extension that cannot be read.
    case malformedExtension
    /// The authentication service refused the credential of an external sender (§5.3.1).
    case externalSender
}

/// A commit that may not be applied (RFC 9420 §12.4.2).
public enum CommitError: Hashable, Sendable {
    /// The path is missing although the proposals need one.
    case pathRequired
    /// The path has another number of nodes than the committer's filtered direct path (§7.5).
    case pathLength
    /// A node of the path has another number of ciphertexts than its copath's resolution (§7.6).
    case ciphertextCount
    /// The parent hash in the new leaf is not the one of the path (§7.9.2).
    case parentHash
    /// A key of the path appears in the tree already.
    case duplicateEncryptionKey
    /// The path secret does not lead to the path's public keys (§7.5).
    case pathSecret
    /// The confirmation tag does not verify (§6.1).
    case confirmationTag
    /// The epoch counter is at its end.
    case epochOverflow
}

/// A Welcome or GroupInfo that may not be joined with (RFC 9420 §12.4.3).
public enum JoiningError: Hashable, Sendable {
    /// The Welcome is for none of the key packages given.
    case notForThisKeyPackage
    /// The Welcome's cipher suite is not the key package's.
    case cipherSuite
    /// The group's version is not MLS 1.0.
    case version
    /// The GroupInfo's signature does not verify, or its signer is no member.
    case groupInfoSignature
    /// The tree is neither in the GroupInfo nor given.
    case treeMissing
    /// The joiner's leaf is not in the tree.
    case leafMissing
    /// The confirmation tag does not verify.
    case confirmationTag
    /// The path secret does not lead to the tree's public keys.
    case pathSecret
    /// An extension of the group context is not supported (§13.4).
    case groupExtensionUnsupported
    /// An extension of the group context that the application does not take (``MLSConfiguration/allowedGroupExtensions``).
    case groupExtensionRefused
    /// The caller is in a group of this identifier already.
    case groupIDInUse
    /// The GroupInfo has no external public key (§12.4.3.2).
    case externalPubMissing
    /// A list of extensions names a type twice (§13.4).
    case duplicateExtension
    /// The new group is not the one that the ReInit announced (§11.2).
    case reInitMismatch
    /// The new group is not a branch of the old one (§11.3).
    case branchMismatch
    /// The epoch of a reinitialized or branched group is not 1 (§11.2, §11.3).
    case notFirstEpoch
}

/// A pre-shared key that is missing or may not be used (RFC 9420 §8.4, §12.1.4).
public enum PreSharedKeyError: Hashable, Sendable {
    /// The caller has no such key.
    case unknown
    /// The nonce is not `KDF.Nh` long.
    case nonceLength
    /// A usage that belongs to reinitialization or branching.
    case usage
    /// More than one key of usage `reinit` or `branch` in a Welcome.
    case multipleResumptions
    /// More keys than a PSKLabel can count.
    case tooMany
}

/// A call that makes no sense in the group's current state.
public enum UsageError: Hashable, Sendable {
    /// This member was removed, or the group was reinitialized.
    case groupInactive
    /// The pending or staged commit was made for another state of the group.
    case staleCommit
    /// Proposals were received: commit before sending application data (§12.4).
    case proposalsPending
    /// A key of another suite.
    case wrongKey
    /// An exporter length that the KDF cannot give.
    case exportLength
    /// A secret that was taken already (draft-ietf-mls-extensions).
    case consumed
    /// A tree, message or list too long to send.
    case tooLarge
    /// The leaf's generation counter is at its end.
    case generationOverflow
    /// The lists given belong to no reinitialization.
    case notReinitialized
}

/// Stored state that cannot be read back.
public enum StorageError: Hashable, Sendable {
    /// Written by a version that this one does not know.
    case version(UInt8)
    /// Not an encoding of such state.
    case malformed
    /// Ratchet records of another epoch.
    case epochMismatch
}

/// Runs a decoder and gives its error the module's type.
@inline(__always)
func decoding<T>(_ body: () throws(TLSCodecError) -> T) throws(MLSError) -> T {
    do { return try body() } catch { throw .malformed(error) }
}
