import KithCore

/// One attempt to delete a blob at its relay.
struct FileDeletion: Sendable {
    let job: DeletionJob
    let address: RelayAddress
    let profile: Profile

    /// Deletes the blob. Returns when the machine knows that the relay no longer has the blob.
    ///
    /// - Throws: an error after which the job can be repeated.
    func run() async throws {
        do {
            try await BlobConnection.use(address, trust: .pinned(job.relay.pin)) { connection in
                try await connection.delete(job.blob, token: job.write)
            }
        } catch RelayConnectionError.refused(let error) where error.code == .denied {
            // The blob has expired, or an earlier attempt has deleted it.
        }
        try await profile.perform(.didDelete(job.id))
    }
}
