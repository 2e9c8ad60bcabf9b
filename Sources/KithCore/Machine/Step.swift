import KithWire
import MLS

/// One step of a profile's machine: its transaction, and the effects that follow it. Every machine that takes part in the step
/// adds to the transaction and to the effects.
struct Step {
    private(set) var output = ProfileOutput()
    /// The next numbers for new relays, contacts, conversations, inboxes and deliveries.
    var numbers = NextNumbers()
    /// The next numbers as the store has them.
    private var storedNumbers = NextNumbers()
    private var tags = RequestTags()
    /// The number of the last use of a group.
    private var uses: UInt64 = 0
    /// Conversations whose changes are not in the transaction yet.
    private(set) var dirty: Set<ConversationID> = []
    /// Conversations whose contact cards are sent after the input has been handled.
    private var cardsDue: [ConversationID] = []
    /// Private requests that came in this step.
    private var requests: [(contact: ContactID, request: GroupRequest)] = []
    /// Additions for which new conversations begin after the input has been handled.
    private var beginnings: [(targets: [AddTarget], place: IntentPlace)] = []
    /// The entries and marks that this step has written, by key; `nil` for those that it has deleted. The store does not have
    /// these changes yet.
    private var written: [StoreKey: [UInt8]?] = [:]
    /// Key packages that were created in this step. The store does not have the new key packages yet.
    var freshKeyPackages: [InboxItem: KeyPackageBundle] = [:]

    // MARK: The transaction

    mutating func put(_ key: StoreKey, _ value: [UInt8]) {
        output.transaction.put(key, value)
        if Self.isReadAgain(key.table) { written[key] = .some(value) }
    }

    mutating func delete(_ key: StoreKey) {
        output.transaction.delete(key)
        if Self.isReadAgain(key.table) { written[key] = .some(nil) }
    }

    /// Whether a step might read a value of this table after it has written the value itself.
    private static func isReadAgain(_ table: StoreTable) -> Bool { table == .entry || table == .marks }

    /// Returns the value that this step has written under a key. The outer optional is `nil` if the step has not changed the
    /// value. The inner optional is `nil` if the step has deleted the value.
    func pending(_ key: StoreKey) -> [UInt8]?? { written[key] }

    /// The entries of a conversation that this step has written.
    func pendingEntries(of conversation: ConversationID) -> [(seq: UInt64, stored: [UInt8])] {
        written.compactMap { key, value in
            guard key.table == .entry, key.owner == conversation.rawValue, let value else { return nil }
            return (key.item, value)
        }.sorted { $0.0 < $1.0 }
    }

    /// Notes that the step erases a text. When the transaction is on the disk, no earlier state of the text is left in the
    /// store's files.
    mutating func erase() { output.transaction.erase() }

    mutating func deleteAll(_ table: StoreTable, owner: UInt64) { output.transaction.deleteAll(table, owner: owner) }

    /// Sets the numbers that were read from the store.
    mutating func load(_ numbers: NextNumbers) { (self.numbers, storedNumbers) = (numbers, numbers) }

    /// Ends the step, and returns its output.
    mutating func finish() -> ProfileOutput {
        if numbers != storedNumbers {
            put(NextNumbers.key, numbers.encoded)
            storedNumbers = numbers
        }
        defer { output = ProfileOutput() }
        freshKeyPackages = [:]
        if !written.isEmpty { written = [:] }
        return output
    }

    /// Returns a number for a use of a group. Each use has a higher number than the previous use. The group whose last use has
    /// the lowest number is the first to be removed from memory.
    mutating func nextUse() -> UInt64 {
        uses += 1
        return uses
    }

    // MARK: Work for the end of the step

    /// Marks a conversation, so that it is stored at the end of the step.
    mutating func markDirty(_ conversation: ConversationID) { dirty.insert(conversation) }

    /// Removes and returns the conversations that have to be stored.
    mutating func takeDirty() -> [ConversationID] {
        defer { dirty = [] }
        return dirty.sorted()
    }

    /// Schedules a conversation's contact card, which is sent after the input has been handled.
    mutating func sendCard(in conversation: ConversationID) {
        if !isCardDue(in: conversation) { cardsDue.append(conversation) }
    }

    /// Whether a conversation's contact card will still be sent in this step.
    func isCardDue(in conversation: ConversationID) -> Bool { cardsDue.contains(conversation) }

    /// Removes and returns the conversations whose contact cards are due.
    mutating func takeCardsDue() -> [ConversationID] {
        defer { cardsDue = [] }
        return cardsDue
    }

    /// Notes a private request of a contact, which is stored after the input has been handled.
    mutating func note(_ request: GroupRequest, of contact: ContactID) { requests.append((contact, request)) }

    /// Removes and returns the private requests of this step.
    mutating func takeRequests() -> [(contact: ContactID, request: GroupRequest)] {
        defer { requests = [] }
        return requests
    }

    /// Notes that people have to be added to a new conversation. `place` is the intent of this addition in the old
    /// conversation.
    mutating func beginAnew(_ targets: [AddTarget], from place: IntentPlace) { beginnings.append((targets, place)) }

    /// Removes and returns the additions for which new conversations begin.
    mutating func takeBeginnings() -> [(targets: [AddTarget], place: IntentPlace)] {
        defer { beginnings = [] }
        return beginnings
    }

    // MARK: Events and answers

    /// Reports an event to the user.
    mutating func emit(_ event: KithEvent) { output.effects.append(.event(event)) }

    mutating func finish<Answer>(_ ticket: Ticket<Answer>, _ result: Result<Answer, KithError>) {
        output.effects.append(.finish(ticket.id, result.map { $0 }))
    }

    // MARK: Files

    /// Begins a job that moves the bytes of a file.
    mutating func transfer(_ job: TransferJob) { output.effects.append(.transfer(job)) }

    /// Ends the job of a transfer, because the transfer no longer exists.
    mutating func endTransfer(_ id: TransferID) { output.effects.append(.endTransfer(id)) }

    /// Removes a file from the profile's folder.
    mutating func removeFile(_ id: TransferID) { output.effects.append(.removeFile(id)) }

    // MARK: Commands that fail

    /// Ends a command that has failed at its beginning.
    mutating func fail(_ command: GivenCommand, _ error: KithError) {
        output.effects.append(.finish(command.id, .failure(error)))
    }

    // MARK: Relays

    /// Keeps a connection to a relay from now on.
    mutating func connect(_ relay: RelayID, _ point: RelayPoint) { output.effects.append(.connect(relay, point)) }

    /// Sends a request to a connected relay, and notes its purpose until the answer comes.
    mutating func request(_ relay: RelayID, _ request: Request, for purpose: RequestPurpose) {
        output.effects.append(.request(relay, tag: tags.new(relay, purpose), request))
    }

    /// Follows an epoch of a channel.
    ///
    /// - Returns: the follow's tag, which all inputs about the follow contain.
    mutating func follow(
        _ relay: RelayID, _ channel: ChannelID, epoch: UInt64, fromSeq: UInt64, for purpose: FollowPurpose
    ) -> UInt64 {
        let tag = tags.new(relay, purpose)
        output.effects.append(.follow(relay, tag: tag, channel, epoch: epoch, fromSeq: fromSeq))
        return tag
    }

    mutating func unfollow(_ relay: RelayID, _ tag: UInt64?) {
        guard let tag, tags.takeFollow(tag, relay) != nil else { return }
        output.effects.append(.unfollow(relay, tag: tag))
    }

    /// Removes and returns the purpose of an answered request; `nil` if the request was not made on this connection.
    mutating func takeRequest(_ tag: UInt64, _ relay: RelayID) -> RequestPurpose? { tags.takeRequest(tag, relay) }

    /// Returns the purpose of a follow; `nil` if the follow has ended.
    func purpose(ofFollow tag: UInt64, _ relay: RelayID) -> FollowPurpose? { tags.follow(tag, relay) }

    /// Removes and returns the purpose of a follow that the relay has ended.
    mutating func endFollow(_ tag: UInt64, _ relay: RelayID) -> FollowPurpose? { tags.takeFollow(tag, relay) }

    /// Forgets all follows and all unanswered requests at a relay, because the connection has ended.
    mutating func forget(_ relay: RelayID) { tags.forget(relay) }
}
