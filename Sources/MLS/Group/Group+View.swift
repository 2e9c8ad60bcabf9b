extension Group {
    /// Returns this group, in the same epoch, as the view of another member. The caller must have that member's keys. Members
    /// share the epoch's secrets, so no secret has to be derived. For benchmarks and tests of large groups, which would otherwise
    /// need a process for each member.
    @_spi(Views)
    public func view(of leaf: LeafIndex, signer: SignaturePrivateKey, encryptionKey: HPKEPrivateKey) -> Group {
        var view = self
        view.ownLeafIndex = leaf
        view.signer = signer
        view.privateKeys = [TreeMath.node(leaf): encryptionKey]
        view.proposals = ProposalCache()
        return view
    }
}
