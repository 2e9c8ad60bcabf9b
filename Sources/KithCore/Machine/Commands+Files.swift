import KithWire

// The commands about files, and the reports of the jobs that move their bytes.

extension Command where Answer == EntryID {
    /// Sends files. The result is the message's id. Events report the message in each of its states.
    package static func sendFiles(_ conversation: ConversationID, _ files: OutgoingFiles) -> Self {
        Command { (profile, ticket) throws(KithError) in
            try FileUploads(profile: profile).send(files, as: profile.newEntryID, to: conversation, ticket)
        }
    }
}

extension Command where Answer == Void {
    /// Downloads a file. Finishes when the file is complete on this device.
    package static func fetch(_ place: FilePlace) -> Self {
        Command { (profile, ticket) throws(KithError) in try FileDownloads(profile: profile).fetch(place, ticket) }
    }

    /// Forgets that a file is on this device, because its bytes are missing or damaged.
    package static func forgetKeptFile(_ place: FilePlace) -> Self {
        Command(now: { (profile) throws(KithError) in try FileDownloads(profile: profile).forgetKeptFile(at: place) })
    }

    /// Sets the size up to which files are downloaded without a request, in bytes; 0 for none.
    package static func setAutoDownload(_ limit: UInt64) -> Self {
        Command(now: { (profile) throws(KithError) in FileDownloads(profile: profile).setAutoDownload(limit) })
    }

    /// Reports that the relay has a whole blob.
    package static func didUpload(_ id: TransferID) -> Self {
        Command(now: { (profile) throws(KithError) in try FileUploads(profile: profile).didUpload(id) })
    }

    /// Reports that an upload cannot continue.
    package static func uploadFailed(_ id: TransferID, _ failure: UploadFailure) -> Self {
        Command(now: { (profile) throws(KithError) in try FileUploads(profile: profile).uploadFailed(id, failure) })
    }

    /// Reports that a relay no longer has a blob that was to be deleted.
    package static func didDelete(_ id: TransferID) -> Self {
        Command(now: { (profile) throws(KithError) in FileDeletions(profile: profile).didDelete(id) })
    }

    /// Reports that a job has ended, and will be repeated after a pause.
    ///
    /// - Parameters:
    ///   - id: the transfer of the job.
    ///   - pauseMs: the pause until the next attempt, in milliseconds.
    ///   - isIncomplete: whether the relay has said that the sender has not uploaded the whole file.
    package static func transferPaused(_ id: TransferID, pauseMs: UInt64, isIncomplete: Bool) -> Self {
        Command(now: { (profile) throws(KithError) in
            try FileUploads(profile: profile).didPause(id, pauseMs: pauseMs, isIncomplete: isIncomplete)
        })
    }

    /// Reports that a download has failed for good.
    package static func downloadFailed(_ id: TransferID, _ problem: FileProblem) -> Self {
        Command(now: { (profile) throws(KithError) in try FileDownloads(profile: profile).downloadFailed(id, problem) })
    }
}

extension Command where Answer == PieceDecision {
    /// Records the digest of an encrypted piece. The piece may be sent only if the answer is ``PieceDecision/proceed``.
    package static func didSeal(_ piece: UInt64, _ digest: [UInt8], of id: TransferID) -> Self {
        Command(now: { (profile) throws(KithError) in try FileUploads(profile: profile).didSeal(piece, digest, of: id) }
        )
    }

    /// Records a piece of a download that is verified and durable on this device.
    package static func didVerify(_ piece: UInt64, _ digest: [UInt8], of id: TransferID) -> Self {
        Command(now: { (profile) throws(KithError) in
            try FileDownloads(profile: profile).didVerify(piece, digest, of: id)
        })
    }
}
