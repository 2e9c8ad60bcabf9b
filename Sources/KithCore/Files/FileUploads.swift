import KithSupport
import KithWire
import MLS

/// The messages of a profile that wait for their uploads, and the answers to the jobs that move the bytes.
struct FileUploads {
    let profile: ProfileMachine

    /// Sends files. The message goes to the outbox when the relay has all files.
    func send(
        _ files: OutgoingFiles, as entry: EntryID, to id: ConversationID, _ ticket: Ticket<EntryID>
    ) throws(KithError) {
        try files.check()
        try profile.checkSending(to: id)
        try profile.accept(id)
        let device = profile.state.device
        let record = UploadRecord(files, as: entry, sentAt: device.wall, random: device.random)
        profile.withDevice { $0.uploads.add(record, to: id, in: &$0.step) }
        profile.state.device.emit(.message(record.queuedMessage(in: id)))
        profile.finish(ticket, .success(entry))
    }

    /// Moves each message to the outbox when its files are complete, reserves blobs, and begins all jobs about files. Called at
    /// the end of each step.
    func advance() throws(KithError) {
        if !profile.state.device.uploads.isEmpty {
            try moveCompleteMessages()
            reserveBlobs()
            startUploads()
        }
        if !profile.state.device.downloads.isEmpty { try FileDownloads(profile: profile).start() }
        FileDeletions(profile: profile).advance()
    }

    private func moveCompleteMessages() throws(KithError) {
        for (place, record) in profile.state.device.uploads.all {
            guard let machine = profile.state.conversations[place.conversation]?.machine, machine.record.status != .left
            else {
                drop(place, .ended, name: record.shown.files.first?.name ?? "")
                continue
            }
            if machine.record.isBlocked(profile.state.device.contacts) {
                drop(place, .blocked, name: record.shown.files.first?.name ?? "")
                continue
            }
            guard let message = record.message else { continue }
            _ = profile.withDevice { $0.uploads.remove(place, in: &$0.step) }
            var item = OutboxItem(
                entryID: record.entryID, sentAt: record.sentAt, replyTo: record.files.replyTo,
                expiresAfter: record.files.expiresAfter, body: .content(.files(message)))
            item.blobs = record.ownBlobs(record.uploads, in: machine.record, at: profile.state.device.wall)
            try profile.pass(.sendFiles(item), to: place.conversation)
        }
    }

    /// Asks relays to reserve blobs. A reservation needs the right to append to the conversation's channel, so the conversation
    /// has to be live.
    private func reserveBlobs() {
        for (place, upload) in profile.state.device.uploads.reservable(at: profile.state.device.now) {
            guard canReserve(in: place.conversation),
                let machine = profile.state.conversations[place.conversation]?.machine,
                let record = profile.state.device.uploads[place]
            else { continue }
            let (channel, epoch) = (machine.record.channel, machine.record.epoch)
            let blob = upload.newBlob(
                record.layout(of: upload), expiresAfter: record.files.expiresAfter ?? machine.record.timer)
            profile.withDevice { device in
                device.uploads.didAskForRoom(upload.id)
                device.request(
                    machine.record.relay, .createBlob(channel: channel, epoch: epoch, blob: blob),
                    for: .upload(upload.id))
            }
        }
    }

    /// Whether blobs can be reserved in a conversation now.
    private func canReserve(in conversation: ConversationID) -> Bool {
        guard let machine = profile.state.conversations[conversation]?.machine else { return false }
        return machine.sync.isLive && machine.mayAct && !machine.needsDecision(profile.state.device.contacts)
    }

    /// The times of the next attempts to reserve blobs, to transfer bytes and to delete blobs, in milliseconds; see ``Clocks/now``.
    var due: [UInt64] {
        let device = profile.state.device
        return device.uploads.due(canReserve) + device.downloads.due + device.deletions.due
    }

    private func startUploads() {
        for (place, upload) in profile.state.device.uploads.startable(at: profile.state.device.now) {
            guard let record = profile.state.device.uploads[place], let relay = relay(of: place.conversation),
                case .source(let source, _) = record.files.files[upload.index].content
            else { continue }
            let job = UploadJob(
                id: upload.id, relay: relay, blob: upload.blob, write: upload.write, key: upload.key,
                layout: record.layout(of: upload), source: source)
            profile.withDevice { device in
                device.uploads.didStart(upload.id)
                device.step.transfer(.upload(job))
            }
        }
    }

    func relay(of conversation: ConversationID) -> RelayPoint? {
        profile.state.conversations[conversation].flatMap { profile.state.device.relays[$0.machine.record.relay] }
    }

    /// Handles the relay's answer to the reservation of a blob.
    func didReserve(_ id: TransferID, _ result: Result<Reply, RelayError>) throws(KithError) {
        guard let place = profile.state.device.uploads.find(id)?.place else { return }
        let name = name(ofUpload: id)
        let before = profile.state.device.uploads.refusal(id)?.code
        let problem = profile.withDevice { $0.uploads.didReserve(id, result, at: $0.now, in: &$0.step) }
        if let problem { return try giveUp(id, problem) }
        guard let refusal = profile.state.device.uploads.refusal(id), refusal.code != before,
            let delay = FileDelay(refusal), let entry = profile.state.device.uploads[place]?.entryID
        else { return }
        profile.state.device.emit(.file(place.conversation, entry, .delayed(name: name, delay)))
    }

    private func name(ofUpload id: TransferID) -> String {
        guard let (place, upload) = profile.state.device.uploads.find(id) else { return "" }
        return profile.state.device.uploads[place]?.shown.files[upload.index].name ?? ""
    }

    /// Gives up a file that cannot be sent. The rest of its message is sent: the other files with the caption, or the caption
    /// as a text. The user has written the caption, so it must not be lost with the file. The caption of a long text is only a
    /// copy of the text's beginning, and is not sent alone.
    private func giveUp(_ id: TransferID, _ problem: FileProblem) throws(KithError) {
        guard let (place, upload) = profile.state.device.uploads.find(id),
            let record = profile.state.device.uploads[place]
        else { return }
        let (files, caption) = (record.shown.files, record.files.caption)
        let name = files[upload.index].name
        guard files.count == 1 else {
            deleteAtRelay([upload], of: record, in: place.conversation)
            profile.withDevice { $0.uploads.leaveOut(id, in: &$0.step) }
            profile.state.device.emit(.file(place.conversation, record.entryID, .leftOut(name: name, problem)))
            guard let rest = profile.state.device.uploads[place] else { return }
            return profile.state.device.emit(.message(rest.queuedMessage(in: place.conversation)))
        }
        guard TextRules.problem(with: caption) == nil, !files[upload.index].isLongText else {
            return drop(place, problem, name: name)
        }
        _ = profile.withDevice { $0.uploads.remove(place, in: &$0.step) }
        deleteAtRelay([upload], of: record, in: place.conversation)
        profile.state.device.emit(.file(place.conversation, record.entryID, .leftOut(name: name, problem)))
        let item = OutboxItem(
            entryID: record.entryID, sentAt: record.sentAt, replyTo: record.files.replyTo,
            expiresAfter: record.files.expiresAfter, body: .content(.text(MessageText(caption))))
        try profile.pass(.sendFiles(item), to: place.conversation)
    }

    /// Gives up a whole message.
    private func drop(_ place: UploadQueue.Place, _ problem: FileProblem, name: String) {
        guard let record = profile.withDevice({ $0.uploads.remove(place, in: &$0.step) }) else { return }
        deleteAtRelay(record.uploads, of: record, in: place.conversation)
        profile.state.device.emit(.file(place.conversation, record.entryID, .notSent(name: name, problem)))
    }

    private func deleteAtRelay(_ uploads: [Upload], of message: UploadRecord, in conversation: ConversationID) {
        guard let record = profile.state.conversations[conversation]?.machine.record else { return }
        profile.withDevice { $0.deleteAtRelay(uploads, of: message, in: record) }
    }

    /// Records the digest of a piece before the piece is sent.
    func didSeal(_ piece: UInt64, _ digest: [UInt8], of id: TransferID) throws(KithError) -> PieceDecision {
        try profile.withDevice { (device) throws(KithError) in
            try device.uploads.record(digest, ofPiece: piece, of: id, from: device.store, in: &device.step)
        }
    }

    /// Notes that the relay has a whole blob.
    func didUpload(_ id: TransferID) throws(KithError) {
        try profile.withDevice { (device) throws(KithError) in
            try device.uploads.didUpload(id, from: device.store, in: &device.step)
        }
    }

    /// Handles the failure of an upload's job.
    func uploadFailed(_ id: TransferID, _ failure: UploadFailure) throws(KithError) {
        guard let (place, upload) = profile.state.device.uploads.find(id),
            let record = profile.state.device.uploads[place]
        else { return }
        let name = name(ofUpload: id)
        let problem = profile.withDevice { device in
            let (now, random) = (device.now, device.random)
            switch failure {
            case .problem(let problem): return problem as FileProblem?
            case .blobLost:
                return device.uploads.restart(id, changed: nil, at: now, random: random, in: &device.step)
            case .changed(let source, let size):
                return device.uploads.restart(
                    id, changed: (source, size), at: now, random: random, in: &device.step)
            }
        }
        if let problem { return try giveUp(id, problem) }
        deleteAtRelay([upload], of: record, in: place.conversation)
        if case .changed = failure {
            profile.state.device.emit(.file(place.conversation, record.entryID, .restarted(name: name)))
        }
    }

    /// Handles the end of a job that will be repeated after a pause.
    ///
    /// - Parameters:
    ///   - pauseMs: the pause until the next attempt, in milliseconds.
    ///   - isIncomplete: whether the relay has said that the sender has not uploaded the whole file.
    func didPause(_ id: TransferID, pauseMs: UInt64, isIncomplete: Bool) throws(KithError) {
        let (now, wall) = (profile.state.device.now, profile.state.device.wall)
        profile.withDevice { device in
            device.uploads.pause(id, until: now.plus(pauseMs))
            device.deletions.pause(id, pauseMs: pauseMs, at: now)
            device.downloads.pause(
                id, until: now.plus(pauseMs), incompleteAt: isIncomplete ? wall : nil, in: &device.step)
        }
        if isIncomplete, profile.state.device.downloads.isAbandoned(id, at: wall) {
            try FileDownloads(profile: profile).downloadFailed(id, .gone)
        }
    }
}
