import KithSupport
import KithWire
import MLS

/// The downloads of a profile, and the answers to the jobs that move the bytes.
struct FileDownloads {
    let profile: ProfileMachine

    /// Downloads a file, if it is not on this device. The command finishes when the file is complete.
    func fetch(_ place: FilePlace, _ ticket: Ticket<Void>?) throws(KithError) {
        let file = try FileViews(profile).attachment(at: place)
        guard case .blob(let reference) = file.place, try FileViews(profile).keptFile(at: place) == nil else {
            if let ticket { profile.finish(ticket, .success(())) }
            return
        }
        profile.withDevice { device in
            let random = device.random
            device.downloads.begin(place, reference, .request(ticket), random: random, in: &device.step)
        }
    }

    func start() throws(KithError) {
        for (id, place, known) in profile.state.device.downloads.startable(at: profile.state.device.now) {
            var reference = known
            if reference == nil, case .blob(let stored)? = try? FileViews(profile).attachment(at: place).place {
                reference = stored
            }
            guard let reference, let relay = FileUploads(profile: profile).relay(of: place.conversation) else {
                profile.withDevice { _ = $0.downloads.finish(id, .failure(.files(.notFound)), in: &$0.step) }
                continue
            }
            let job = DownloadJob(id: id, relay: relay, reference: reference)
            profile.withDevice { device in
                device.downloads.didStart(id, reference)
                device.step.transfer(.download(job))
            }
        }
    }

    /// Records a piece that is verified and durable on this device.
    func didVerify(_ piece: UInt64, _ digest: [UInt8], of id: TransferID) throws(KithError) -> PieceDecision {
        let place = profile.state.device.downloads.place(of: id)
        let decision = try profile.withDevice { (device) throws(KithError) in
            try device.downloads.record(digest, ofPiece: piece, of: id, from: device.store, in: &device.step)
        }
        if let place, profile.state.device.downloads.place(of: id) == nil { try report(place) { .fetched($0) } }
        return decision
    }

    func downloadFailed(_ id: TransferID, _ problem: FileProblem) throws(KithError) {
        guard let place = profile.withDevice({ $0.downloads.finish(id, .failure(.files(problem)), in: &$0.step) })
        else {
            return
        }
        try report(place) { .notFetched($0, problem) }
    }

    private func report(_ place: FilePlace, _ notice: (MessageFile) -> FileNotice) throws(KithError) {
        guard let record = try FileViews(profile).entry(at: place), let file = record.file(place.number) else { return }
        profile.state.device.emit(.file(place.conversation, record.id, notice(MessageFile(number: place.number, file))))
    }

    /// Forgets that a file is on this device, because its bytes are missing or damaged.
    func forgetKeptFile(at place: FilePlace) throws(KithError) {
        guard let key = place.key, let id = try FileViews(profile).keptFile(at: place) else { return }
        profile.withDevice { device in
            device.step.delete(key)
            device.step.removeFile(id)
        }
    }

    // MARK: Requests of other processes

    /// Performs a stored request about files. The caller deletes the request in the same step.
    func take(_ request: FileRequest, _ ticket: Ticket<EntryID>) throws(KithError) {
        switch request {
        case .send(let entry, let conversation, let channel, let files):
            // The id of a conversation that was discarded may now belong to another conversation.
            guard profile.state.conversations[conversation]?.machine.record.channel == channel else {
                throw .notFound("conversation")
            }
            try FileUploads(profile: profile).send(files, as: entry, to: conversation, ticket)
        case .fetch(let place):
            try fetch(place, nil)
            guard let record = try FileViews(profile).entry(at: place) else { throw .files(.notFound) }
            profile.finish(ticket, .success(record.id))
        }
    }

    // MARK: Settings

    func setAutoDownload(_ limit: UInt64) {
        profile.withDevice { device in
            device.fileSettings.autoDownload = limit
            device.step.put(FileSettings.key, device.fileSettings.encoded)
        }
    }
}
