import KithWire

/// Decides requests about blobs: rights, limits and times.
struct BlobService: Sendable {
    let store: any BlobStore
    let limits: BlobLimits

    /// The result of a request over HTTP.
    enum Outcome: Sendable {
        case uploading(any BlobUpload, BlobStatus)
        case downloading(any BlobDownload, first: UInt64, last: UInt64, BlobStatus)
        case status(BlobStatus)
        case deleted
    }

    /// Reserves space for a blob.
    ///
    /// - Parameter nowMs: the relay's time, in milliseconds since 1970.
    func create(_ blob: NewBlob, nowMs: UInt64) async -> Reply {
        let kept = min(UInt64(blob.lifetimeSeconds), UInt64(limits.keptSeconds))
        let times = BlobTimes(
            createdMs: nowMs, expiresMs: nowMs + kept * 1_000,
            uploadEndsMs: nowMs + UInt64(limits.uploadSeconds) * 1_000)
        do throws(BlobError) {
            try await store.create(
                blob, times: times, maximumBytes: limits.storeBytes)
            return .done
        } catch {
            return .error(RelayError(error))
        }
    }

    /// Returns whether an earlier request has already reserved space for `blob`.
    func hasReserved(_ blob: NewBlob) async -> Bool {
        guard let known = try? await store.record(of: blob.id) else { return false }
        return known.isReservation(of: blob)
    }

    /// Returns a refusal if the blob is larger than the limit for one blob, or does not fit into the limit for all blobs;
    /// otherwise `nil`. The store itself checks the free space on the disk.
    func refusal(of blob: NewBlob) -> RelayError? {
        guard blob.size <= limits.size else {
            return RelayError(.tooLarge, "the file is too large for this relay", detail: limits.size)
        }
        return store.statistics().hasRoom(for: blob, within: limits.storeBytes) ? nil : RelayError(BlobError.full)
    }

    /// Decides a request over HTTP.
    func answer(_ request: BlobRequest) async throws(BlobError) -> Outcome {
        guard let record = try await store.record(of: request.blob) else { throw .denied }
        let grant = Grant(for: request.token)
        let (mayRead, mayWrite) = (grant == record.read, grant == record.write)
        let status = record.status
        switch request.action {
        case .status:
            guard mayRead || mayWrite else { throw .denied }
            return .status(status)
        case .append(let offset, let count):
            guard mayWrite else { throw .denied }
            guard offset == status.stored, !status.isComplete else { throw .wrongOffset(status) }
            guard count <= status.size - offset else { throw .tooLong }
            return .uploading(try await store.upload(to: request.blob, at: offset), status)
        case .read(let first, let last):
            guard mayRead, status.isComplete else { throw .denied }
            guard first < status.size else { throw .wrongOffset(status) }
            let last = min(last ?? .max, status.size - 1)
            return .downloading(try await store.download(request.blob), first: first, last: last, status)
        case .delete:
            guard mayWrite else { throw .denied }
            try await store.delete(request.blob)
            return .deleted
        }
    }
}
