import KithWire

/// The refusals of a relay.
extension RelayError {
    static let denied = RelayError(.denied, "no such channel, or no right to it")
    static let gone = RelayError(.gone, "the channel was closed")

    static func staleEpoch(current: UInt64) -> RelayError {
        RelayError(.staleEpoch, "the channel is in another epoch", detail: current)
    }

    static func trimmed(firstSeq: UInt64) -> RelayError {
        RelayError(.trimmed, "older entries are no longer kept", detail: firstSeq)
    }

    static let storeIsFull = RelayError(
        .full, "the relay has no room for more", retryAfterMs: RelayLimits.fullStoreRetryMs)

    /// The answer to a client after the store has failed. The answer does not contain the store's own error text.
    init(_ failure: StoreFailure) {
        switch failure {
        case .full: self.init(.full, "the relay's disk is full", retryAfterMs: 60_000)
        case .io, .damaged: self.init(.unavailable, "the relay could not read or write its store", retryAfterMs: 5_000)
        }
    }

    /// The refusal of a request that exceeds the daily budget of its address.
    static func overBudget(waitNanoseconds wait: Int64) -> RelayError {
        tooFast("this address has used up its daily budget at this relay", waitNanoseconds: wait)
    }

    /// The refusal of a request that a token bucket allows only after a wait.
    static func tooFast(_ reason: String, waitNanoseconds wait: Int64) -> RelayError {
        RelayError(.tooFast, reason, retryAfterMs: UInt32(clamping: wait / 1_000_000 + 1))
    }

    /// The answer to a client whose request about a blob fails. The answer does not contain the store's own error text.
    init(_ error: BlobError) {
        switch error {
        case .denied: self.init(.denied, "no such file, or no right to it")
        case .exists: self.init(.exists, "another file has this id")
        case .wrongOffset(let status):
            self.init(.wrongOffset, "the relay has another number of bytes", detail: status.stored)
        case .tooLong: self.init(.tooLarge, "these are more bytes than the file's size")
        case .superseded: self.init(.gone, "another upload of this file has begun")
        case .full: self.init(.full, "the relay has no room for more files", retryAfterMs: RelayLimits.fullStoreRetryMs)
        case .failed(let failure): self.init(failure)
        }
    }
}
