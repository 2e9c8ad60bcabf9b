extension Group {
    /// Returns the same epoch from the view of another member, whose keys the caller has. Members share the epoch's secrets, so
    /// nothing is derived. For benchmarks and tests of large groups, which would otherwise need a process for each member.
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
