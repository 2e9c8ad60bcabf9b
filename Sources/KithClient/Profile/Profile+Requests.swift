import KithWire
import NIOCore

// Several processes of one user: one has the profile, the others leave with it what they want said.

extension Profile {
    // MARK: Asking

    /// Leaves a text for the process that has the profile open, which sends it. For profiles that were opened for reading.
    ///
    /// - Throws: ``KithError``, for the same reasons as ``send(_:to:replyTo:expiresAfter:)``. Nothing was left then.
    package func handOver(
        _ text: String, to conversation: ConversationID, replyTo: EntryID? = nil, expiresAfter: Duration? = nil
    ) throws(KithError) -> Message {
        guard let vault = store as? VaultStore else { throw .inUse(pid: nil) }
        let (message, request) = try messenger.handedOver(
            text, to: conversation, replyTo: replyTo, expiresAfter: try expiresAfter?.textSeconds(), now: Self.now)
        _ = try reading { () throws(StoreError) in try vault.handOver(request) }
        return message
    }

    /// How far a text that was handed over has come.
    package func progress(of message: Message) throws(KithError) -> HandedOver { try messenger.progress(of: message) }

    // MARK: Taking

    /// How often to look whether another process has left something. It costs a counter's look.
    private static let pollInterval = TimeAmount.milliseconds(200)

    /// Takes what other processes have left, now and whenever they leave something.
    func watchRequests() {
        guard store is VaultStore else { return }
        takeRequests()
        let watch = loop.scheduleRepeatedTask(initialDelay: Self.pollInterval, delay: Self.pollInterval) {
            [weak self] task in
            guard let self else { return task.cancel() }
            self.assumeIsolated { $0.lookForRequests() }
        }
        requestWatch = watch
    }

    private func lookForRequests() {
        guard !isClosed, let vault = store as? VaultStore else { return }
        do throws(StoreError) {
            guard try vault.othersHaveWritten() else { return }
        } catch { return giveUp(.store(error)) }
        takeRequests()
    }

    private func takeRequests() {
        let requests: [StoredValue]
        do throws(StoreError) { requests = try store.allValues(.request) } catch { return giveUp(.store(error)) }
        for request in requests {
            lastCommand += 1
            mailbox.put(.command(CommandID(rawValue: lastCommand), .takeRequest(item: request.item, request.bytes)))
        }
        // At once: the next look must not find them again.
        drain()
    }
}
