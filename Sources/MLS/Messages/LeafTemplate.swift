/// The parts of a leaf that its client chooses, and the key that signs the leaf.
struct LeafTemplate: Sendable {
    let credential: Credential
    var capabilities: Capabilities
    let extensions: [Extension]
    let signer: SignaturePrivateKey
}
