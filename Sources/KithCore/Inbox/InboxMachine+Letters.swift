import KithWire
import MLS

// Letters: the entries that others have put into the inbox. This file processes them in order. A letter whose tree is being
// fetched blocks the letters behind it. Any other letter that cannot be processed yet is set aside: it stays at the relay to be
// read again later, and the letters behind it are processed.

extension InboxMachine {
    // MARK: The queue

    mutating func process(_ entries: [Entry], in profile: inout ProfileState) throws(KithError) {
        guard entries.allSatisfy({ $0.seq < StoreKey.highest }) else { return }
        connection.receive(entries, of: &record)
        try processQueue(in: &profile)
        if connection.pauseIfFull() { unfollow(in: &profile.device) }
    }

    private mutating func processQueue(in profile: inout ProfileState) throws(KithError) {
        let before = connection.waiting
        defer {
            if connection.waiting < before { store(in: &profile.device) }
            trimAtOnce(in: &profile.device)
        }
        while let entry = connection.first, !profile.device.parcels.isFetching(.tree(id)), !record.isClosing {
            var taken = leftAside(entry, in: profile)
            if taken == nil { taken = try take(entry, tree: nil, in: &profile) }
            guard let taken, didTake(entry, taken) else { return }
        }
        guard connection.first == nil else { return }
        if connection.resume() { return try open(in: &profile) }
        skipRead(in: &profile)
        try closeIfOver(in: &profile)
    }

    /// Removes the queue's first entry after it has been read, unless `taken` is ``Taken/waits``.
    ///
    /// - Returns: whether the entry was removed.
    private mutating func didTake(_ entry: Entry, _ taken: Taken) -> Bool {
        switch taken {
        case .waits: return false
        case .done: record.forgetAside(entry.seq...entry.seq)
        case .aside(let reason): record.setAside(entry.seq, reason)
        }
        connection.didReadFirst()
        record.didProcess(entry.seq)
        return true
    }

    /// The result of reading an entry.
    enum Taken {
        case done
        /// The entry stays at the front of the queue until its tree arrives.
        case waits
        /// The entry stays at the relay. Later entries are read.
        case aside(AsideLetter.Reason)
    }

    /// Reads an entry. The entry may contain anything. If the entry is not a Welcome for this device, it is skipped.
    ///
    /// - Parameter tree: the group's tree, if it was in a parcel and has arrived.
    private mutating func take(
        _ entry: Entry, tree: [UInt8]?, in profile: inout ProfileState
    ) throws(KithError) -> Taken {
        if record.isLate(entry, now: profile.device.wall) { return .done }
        if case .contact(let sender) = record.purpose, profile.device.contacts[sender]?.isBlocked == true {
            return .done
        }
        guard let opened = record.sealKey.open(entry.payload, .message, channel: record.channel.bytes),
            let sealed = try? InboxLetter(decoding: opened)
        else { return .done }
        if let taken = record.taken(sealed) {
            // The same entry id means that the sender got no answer and has sent the letter again, after the relay had forgotten
            // the id.
            if taken.entry != entry.id, let known = profile.conversations[taken.conversation] {
                try known.handle(.warn(.oldWelcome), in: &profile.device)
            }
            return .done
        }
        guard let (number, bundle) = try keyPackage(sealed.keyPackage, in: profile.device),
            let message = sealed.open(with: bundle, channel: record.channel),
            case .welcome(let welcome)? = try? MLSMessage.decode(message.welcome),
            (try? welcome.isFor(bundle.keyPackage)) == true
        else { return .done }
        if case .parcel(let address) = message.tree, tree == nil {
            return fetchTree(address, of: message, entry, in: &profile)
        }
        let letter = OpenLetter(
            entry: entry, letter: sealed, message: message, welcome: welcome, bundle: bundle, number: number)
        return try join(letter, tree: tree, in: &profile)
    }

    // MARK: Trees in parcels

    /// Fetches the tree to which a letter refers. Before the tree arrives, the inviter is unknown. If any number of people can
    /// have the inbox's address, the inviter might be a stranger. In this case, the tree is fetched only from the inbox's own
    /// relay.
    private mutating func fetchTree(
        _ address: ParcelAddress, of message: InboxMessage, _ entry: Entry, in profile: inout ProfileState
    ) -> Taken {
        guard !record.isUsed else { return .done }
        if !record.purpose.hasLimitedAudience {
            guard profile.device.relays.known(message.relay) == record.relay else {
                profile.device.didPassOverInvitation(to: message.relay.address)
                return .done
            }
            guard address.length <= ClientLimits.strangersParcel else { return .done }
            guard profile.hasRoomForRequest else { return profile.device.leaveForLater() }
        }
        let relay = profile.device.relays.id(for: message.relay, in: &profile.device.step)
        let time = letterTime(in: profile.device)
        let waited = time - min(time, record.hold(entry.seq, now: time))
        store(in: &profile.device)
        let now = profile.device.now
        profile.device.fetch(address, at: relay, for: .tree(id), since: now - min(now, waited))
        return .waits
    }

    /// Processes the first letter of the queue with its tree. If the tree could not be fetched, drops the letter.
    mutating func didFetchTree(_ tree: [UInt8]?, in profile: inout ProfileState) throws(KithError) {
        if let entry = connection.first {
            // A letter that has its tree never waits again.
            let taken = tree == nil ? .done : try take(entry, tree: tree, in: &profile)
            _ = didTake(entry, taken)
            store(in: &profile.device)
        }
        try processQueue(in: &profile)
    }

    // MARK: Letters set aside

    /// Returns the current time for measuring the waits of letters, in milliseconds since 1970. If the relay's time is known,
    /// returns the relay's time, because the device's clock may be changed between two runs of the program. A relay gains
    /// nothing by stating a wrong time: the relay could hold back letters anyway.
    func letterTime(in device: DeviceState) -> UInt64 { device.clocks.relayTime(record.relay) ?? device.wall }

    /// Returns the wait of a Welcome; `nil` if the Welcome can be judged now. A Welcome has to wait if this device must first
    /// read more of the conversation's log. The log of a pending conversation is not read, so no letter waits for that log. A
    /// Welcome may wait even if the inviter is not a member yet: a later part of the log may add the inviter.
    func logWait(
        _ conversation: ConversationMachine, before epoch: UInt64, _ seq: UInt64, in profile: ProfileState
    ) -> LogWait? {
        var wait = LogWait(conversation: conversation.id, epoch: epoch, since: letterTime(in: profile.device))
        if case .log(let known)? = record.reasonAside(seq) { wait.since = known.since }
        return isOver(wait, in: profile) ? nil : wait
    }

    private func isOver(_ wait: LogWait, in profile: ProfileState) -> Bool {
        guard let place = profile.conversations[wait.conversation], place.machine.mayAct,
            place.machine.record.status.isOpen, place.machine.record.epoch < wait.epoch
        else { return true }
        return wait.rest(now: letterTime(in: profile.device)) == 0
    }

    private func isReady(_ reason: AsideLetter.Reason, hasRoom: Bool, in profile: ProfileState) -> Bool {
        switch reason {
        case .room: hasRoom
        case .log(let wait): isOver(wait, in: profile)
        }
    }

    /// Returns the seq of the first letter that was set aside and can be processed now; `nil` if there is none.
    private func firstReady(in profile: ProfileState) -> UInt64? {
        guard !record.aside.isEmpty else { return nil }
        let hasRoom = profile.hasRoomForRequest
        return record.aside.first { isReady($0.reason, hasRoom: hasRoom, in: profile) }?.seq
    }

    /// Returns the result for a letter that was set aside earlier and cannot be processed yet; `nil` for any other letter.
    private func leftAside(_ entry: Entry, in profile: ProfileState) -> Taken? {
        guard let reason = record.reasonAside(entry.seq),
            !isReady(reason, hasRoom: profile.hasRoomForRequest, in: profile)
        else { return nil }
        return .aside(reason)
    }

    /// Reads the inbox again from the first letter that was set aside and can be processed now.
    mutating func takeLettersAside(in profile: inout ProfileState) {
        guard !record.isClosing, connection.hasBrought(through: record.lastSeq), firstReady(in: profile) != nil
        else { return }
        unfollow(in: &profile.device)
        followLetters(from: nextLetter(in: profile), in: &profile.device)
    }

    /// If the follow is still delivering letters that were delivered before, and none of the letters that were set aside can be
    /// processed now, skips the remaining old letters and follows the inbox from the first new letter.
    private mutating func skipRead(in profile: inout ProfileState) {
        guard connection.isReadingAgain(through: record.lastSeq), firstReady(in: profile) == nil else { return }
        unfollow(in: &profile.device)
        followLetters(from: record.lastSeq + 1, in: &profile.device)
    }

    /// Returns the seq at which the follow of the inbox has to begin:
    ///
    /// - If the inbox has to be closed, the seq of the first letter that was set aside: the device has to learn whether the
    ///   letter still exists.
    /// - If a letter was set aside and can be processed now, the seq of the first such letter.
    /// - In all other cases, the seq of the first new letter.
    func nextLetter(in profile: ProfileState) -> UInt64 {
        let first = isOver(in: profile.device) ? record.aside.first?.seq : firstReady(in: profile)
        return min(first ?? .max, record.lastSeq + 1)
    }

    mutating func followLetters(from seq: UInt64, in device: inout DeviceState) {
        postponeTrim(in: &device)
        let tag = device.step.follow(record.relay, record.channel, epoch: 0, fromSeq: seq, for: .inbox(id))
        connection.beginFollow(tag, from: seq)
    }

    /// Returns the remaining waits, in milliseconds, of the letters that wait for a conversation's log.
    func restsOfWaits(in device: DeviceState) -> [UInt64] {
        let time = letterTime(in: device)
        return record.aside.compactMap { letter in
            guard case .log(let wait) = letter.reason, wait.rest(now: time) > 0 else { return nil }
            return wait.rest(now: time)
        }
    }
}
