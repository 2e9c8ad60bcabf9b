import TLSCodec

/// The reason why an operation was refused. A call that throws an error changes nothing.
///
/// Each case names the refused input or call. An associated value gives details, for example the broken rule.
public enum MLSError: Error, Hashable, Sendable {
    /// The bytes are not a valid encoding of the expected value. Drop the bytes.
    case malformed(TLSCodecError)
    /// This module does not support the suite (RFC 9420 §5.1). Use another suite.
    case unsupportedCipherSuite(CipherSuite)
    /// A cryptographic function refused its input. Examples are a forged ciphertext, and bytes that are not a key.
    case crypto(CryptoFailure)
    /// A key package is not acceptable (§10.1). Request a different key package.
    case keyPackage(KeyPackageError)
    /// A leaf node is invalid (§7.3).
    case leafNode(LeafNodeError)
    /// A ratchet tree is invalid (§7, §12.4.3.1).
    case tree(RatchetTreeError)
    /// A message is not acceptable (§6).
    case message(MessageError)
    /// A list of proposals cannot be committed (§12.2).
    case proposals(ProposalListError)
    /// A commit cannot be applied (§12.4.2).
    case commit(CommitError)
    /// A Welcome or GroupInfo cannot be used for joining (§12.4.3).
    case joining(JoiningError)
    /// A pre-shared key is missing or not allowed (§8.4, §12.1.4).
    case preSharedKey(PreSharedKeyError)
    /// The group's current state does not allow the call. The calling program has a mistake.
    case usage(UsageError)
    /// Stored state cannot be restored.
    case storage(StorageError)
    /// An internal check of this module has failed. Please report this error.
    case internalError
}

/// The cryptographic function that refused its input.
public enum CryptoFailure: Hashable, Sendable {
    /// Encryption failed.
    case seal
    /// The authentication of a ciphertext failed.
    case open
    /// A KEM could not encapsulate a secret to a key.
    case encapsulate
    /// A KEM could not decapsulate a secret.
    case decapsulate
    /// The bytes are not a private key of the suite.
    case invalidPrivateKey
    /// The bytes are not a public key of the suite (§5.1.1).
    case invalidPublicKey
    /// A derivation produced no valid key.
    case keyDerivation
    /// Signing failed.
    case sign
}

/// The reason why a key package is not acceptable (RFC 9420 §10.1).
public enum KeyPackageError: Hashable, Sendable {
    /// The version differs from the group's.
    case version
    /// The cipher suite differs from the group's.
    case cipherSuite
    /// The signature is invalid.
    case signature
    /// The init key equals the leaf's encryption key.
    case initKeyIsEncryptionKey
    /// A list of extensions contains a type twice (§13.4).
    case duplicateExtension
}

/// The reason why a leaf node is invalid (RFC 9420 §7.3).
public enum LeafNodeError: Hashable, Sendable {
    /// The authentication service refused the credential (§5.3.1).
    case credential
    /// The signature is invalid.
    case signature
    /// The capabilities lack a required extension, proposal or credential type (§11.1).
    case requiredCapability
    /// The capabilities lack an extension of the group context (§13.4).
    case groupExtensionUnsupported
    /// The capabilities lack the group's version or cipher suite.
    case versionOrCipherSuiteUnsupported
    /// Not every member supports the leaf's credential type.
    case credentialTypeUnsupportedByMember
    /// The capabilities lack the leaf's own credential type (§7.2).
    case credentialTypeNotInCapabilities
    /// The current time is outside the lifetime.
    case lifetime
    /// The lifetime is longer than the application accepts (§7.2).
    case lifetimeTooLong
    /// The capabilities lack one of the leaf's own extensions.
    case extensionNotInCapabilities
    /// A list of extensions contains a type twice (§13.4).
    case duplicateExtension
    /// The capabilities contain a default type, which §7.2 forbids.
    case defaultTypeInCapabilities
    /// `leaf_node_source` does not match the place of the leaf.
    case source
    /// An update does not change the encryption key.
    case encryptionKeyNotChanged
    /// A different member already has this signature key.
    case duplicateSignatureKey
    /// A different node already has this encryption key.
    case duplicateEncryptionKey
    /// The application refuses the member's new identity as a successor of the old identity (§5.3.1).
    case notASuccessor
    /// The encryption key is not a key of the suite (§5.1.1).
    case invalidEncryptionKey
}

/// The reason why a ratchet tree is invalid (RFC 9420 §7, §12.4.3.1, §12.4.3.3).
public enum RatchetTreeError: Hashable, Sendable {
    /// The tree has no node, or its last node is blank (§12.4.3.3).
    case trailingBlank
    /// A leaf is at a parent's position, or a parent is at a leaf's position.
    case nodeType
    /// The tree has more leaves than ``Limits/members``.
    case tooLarge
    /// The tree has too many leaves, including blank leaves, for its number of members (``MLSConfiguration/treeWidth``).
    case tooSparse
    /// The tree hash differs from the announced tree hash.
    case treeHash
    /// A parent node is not parent-hash valid (§7.9.2).
    case parentHash
    /// An unmerged leaf is blank or is not below its parent node.
    case unmergedLeaf
    /// A node between a parent and its unmerged leaf lacks that unmerged leaf.
    case unmergedLeafMissingBelow
    /// Unmerged leaves are not in ascending order (§7.1).
    case unmergedLeavesOrder
    /// Two nodes have equal encryption keys.
    case duplicateEncryptionKey
    /// A parent's encryption key is not a key of the suite (§5.1.1).
    case invalidEncryptionKey
}

/// The reason why a message is not acceptable (RFC 9420 §6).
public enum MessageError: Hashable, Sendable {
    /// The call does not accept a message with this wire format.
    case wireFormat
    /// The message belongs to a different group.
    case groupID
    /// The message belongs to a different epoch.
    case epoch(current: UInt64, message: UInt64)
    /// The sender is not a member.
    case sender
    /// The sender's type does not allow the content's type (§6).
    case senderType
    /// The signature is invalid (§6.1).
    case signature
    /// The membership tag is invalid (§6.2).
    case membershipTag
    /// A PublicMessage contains application data (§6.2, §15).
    case publicApplicationData
    /// The message could not be decrypted (§6.3).
    case decryption
    /// The padding is not zero (§6.3.1).
    case padding
    /// The message's key no longer exists. The message is a repetition or too old.
    case generationConsumed
    /// The message's generation is too far ahead (``MLSConfiguration/maximumForwardDistance``).
    case generationTooFarAhead
    /// This member itself sent the message.
    case fromSelf
    /// An external sender may not send a proposal of this type (§12.1.8).
    case externalProposalType
    /// A self-remove was encrypted, or its sender is not a member (draft-ietf-mls-extensions).
    case selfRemove
}

/// The reason why a list of proposals cannot be committed (RFC 9420 §12.2).
public enum ProposalListError: Hashable, Sendable {
    /// The list refers to a proposal that was not received.
    case unknownReference
    /// The list has an Update by the committer.
    case updateByCommitter
    /// The list has a Remove of the committer.
    case committerRemoved
    /// The list changes one leaf twice.
    case multipleChangesOfLeaf
    /// The list adds one client twice.
    case multipleAddsOfClient
    /// The list adds a current member without removing that member.
    case clientIsMember
    /// The list has two PreSharedKey proposals for one PSK.
    case duplicatePreSharedKey
    /// The list has two GroupContextExtensions proposals.
    case multipleGroupContextExtensions
    /// The list has a ReInit, but the ReInit is not the only proposal.
    case reInitNotAlone
    /// The list has an ExternalInit, but the commit is not external.
    case externalInit
    /// Not every member supports the type of a proposal (§13.2).
    case unsupportedType
    /// The list removes a blank leaf (§12.1.3).
    case removedLeafBlank
    /// The list has an Update by value, or the sender of an Update is not a member (§12.1.2).
    case updateSender
    /// The list has a ReInit to an older version (§12.1.5).
    case reInitVersion
    /// Some member lacks one of the new required capabilities (§12.1.7).
    case requiredCapabilities
    /// Some member does not support a group context extension (§13.4).
    case groupExtensionUnsupported
    /// The application does not accept a group context extension (``MLSConfiguration/allowedGroupExtensions``).
    case groupExtensionRefused
    /// A list of extensions contains a type twice (§13.4).
    case duplicateExtension
    /// The list of an external commit breaks a rule of §12.2.
    case externalCommit
    /// The list has a self-remove by value, or two self-removes of one leaf (draft-ietf-mls-extensions).
    case selfRemove
    /// The content of an extension cannot be read.
    case malformedExtension
    /// The authentication service refused the credential of an external sender (§5.3.1).
    case externalSender
}

/// The reason why a commit cannot be applied (RFC 9420 §12.4.2).
public enum CommitError: Hashable, Sendable {
    /// The proposals require a path, but the commit has no path.
    case pathRequired
    /// The path and the committer's filtered direct path have different numbers of nodes (§7.5).
    case pathLength
    /// The number of ciphertexts in a node of the path is wrong. Each node in the resolution of the copath needs one ciphertext
    /// (§7.6).
    case ciphertextCount
    /// The parent hash in the new leaf differs from the parent hash of the path (§7.9.2).
    case parentHash
    /// A key of the path is already in the tree.
    case duplicateEncryptionKey
    /// The public keys derived from the path secret differ from the public keys in the path (§7.5).
    case pathSecret
    /// The confirmation tag is invalid (§6.1).
    case confirmationTag
    /// The epoch counter has reached its maximum.
    case epochOverflow
}

/// The reason why a Welcome or GroupInfo cannot be used for joining (RFC 9420 §12.4.3).
public enum JoiningError: Hashable, Sendable {
    /// The Welcome is not for any of the given key packages.
    case notForThisKeyPackage
    /// The Welcome's cipher suite differs from the key package's.
    case cipherSuite
    /// The group's version is not MLS 1.0.
    case version
    /// The GroupInfo's signature is invalid, or its signer is not a member.
    case groupInfoSignature
    /// The GroupInfo contains no tree, and the caller has given no tree.
    case treeMissing
    /// The joiner's leaf is not in the tree.
    case leafMissing
    /// The confirmation tag is invalid.
    case confirmationTag
    /// The public keys derived from the path secret differ from the public keys in the tree.
    case pathSecret
    /// The client does not support an extension of the group context (§13.4).
    case groupExtensionUnsupported
    /// The application does not accept an extension of the group context (``MLSConfiguration/allowedGroupExtensions``).
    case groupExtensionRefused
    /// The caller is already in a group with this identifier.
    case groupIDInUse
    /// The GroupInfo has no external public key (§12.4.3.2).
    case externalPubMissing
    /// A list of extensions contains a type twice (§13.4).
    case duplicateExtension
    /// The new group differs from the group that the ReInit announced (§11.2).
    case reInitMismatch
    /// The new group is not a branch of the old group (§11.3).
    case branchMismatch
    /// The epoch of a reinitialized or branched group is not 1 (§11.2, §11.3).
    case notFirstEpoch
}

/// The reason why a pre-shared key cannot be used (RFC 9420 §8.4, §12.1.4).
public enum PreSharedKeyError: Hashable, Sendable {
    /// The caller has no key with the given PSK identifier.
    case unknown
    /// The length of the nonce is not `KDF.Nh`.
    case nonceLength
    /// The key's usage is allowed only in a reinitialization or branching.
    case usage
    /// A Welcome has more than one key with the usage `reinit` or `branch`.
    case multipleResumptions
    /// The number of keys exceeds 65,535, the maximum of a PSKLabel.
    case tooMany
}

/// The reason why a call is not possible in the group's current state.
public enum UsageError: Hashable, Sendable {
    /// This member was removed, or the group was reinitialized.
    case groupInactive
    /// The pending or staged commit belongs to a different state of the group.
    case staleCommit
    /// Application data cannot be sent before the received proposals are committed (§12.4).
    case proposalsPending
    /// The key belongs to a different suite, or a private key does not belong to the given key package.
    case wrongKey
    /// The KDF cannot create a secret of this length.
    case exportLength
    /// The secret was already taken (draft-ietf-mls-extensions).
    case consumed
    /// A tree, message or list is too long to be sent.
    case tooLarge
    /// The leaf's generation counter has reached its maximum.
    case generationOverflow
    /// The group was not reinitialized, or the given key packages do not belong to its members.
    case notReinitialized
}

/// The reason why stored state cannot be restored.
public enum StorageError: Hashable, Sendable {
    /// The state has an unknown format version.
    case version(UInt8)
    /// The bytes are not an encoding of stored state.
    case malformed
    /// The records and the epoch state belong to different epochs.
    case epochMismatch
}

/// Runs `body`. Converts a `TLSCodecError` to an ``MLSError``.
@inline(__always)
func decoding<T>(_ body: () throws(TLSCodecError) -> T) throws(MLSError) -> T {
    do { return try body() } catch { throw .malformed(error) }
}
