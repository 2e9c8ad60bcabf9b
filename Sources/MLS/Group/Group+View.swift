extension Group {
    /// Returns a different member's view of this group, in the current epoch. The caller must have the other member's keys. All
    /// members share the epoch's secrets, so the call derives no secret. With views of many members, a benchmark or test of a
    /// large group needs only one process.
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
