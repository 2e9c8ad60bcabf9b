import KithWire
import MLS

/// One step of a profile's machine: its transaction and the effects that follow it, as far as they are known. The machines that take
/// part in the step add to it.
struct Step {
    private(set) var output = MessengerOutput()
    /// The numbers of new things.
    var numbers = NextNumbers()
    /// The stored part of them.
    private var storedNumbers = NextNumbers()
    private var tags = RequestTags()
    /// The number of uses of groups so far.
    private var uses: UInt64 = 0
    /// Conversations whose changes are not in the transaction yet.
    private(set) var dirty: Set<ConversationID> = []
    /// Conversations whose contact cards are sent once the input has been handled.
    private var cardsDue: [ConversationID] = []
    /// Key packages that were made in this step: the store does not have them yet.
    var freshKeyPackages: [InboxItem: KeyPackageBundle] = [:]

    // MARK: The transaction

    mutating func put(_ key: StoreKey, _ value: [UInt8]) { output.transaction.put(key, value) }

    mutating func delete(_ key: StoreKey) { output.transaction.delete(key) }

    mutating func deleteAll(_ table: StoreTable, owner: UInt64) { output.transaction.deleteAll(table, owner: owner) }

    /// Takes the numbers that were stored.
    mutating func load(_ numbers: NextNumbers) { (self.numbers, storedNumbers) = (numbers, numbers) }

    /// Ends the step.
    mutating func finish() -> MessengerOutput {
        if numbers != storedNumbers {
            put(NextNumbers.key, numbers.encoded)
            storedNumbers = numbers
        }
        defer { output = MessengerOutput() }
        freshKeyPackages = [:]
        return output
    }

    /// Counts one more use of a group: the groups that were not used for the longest time are unloaded first.
    mutating func nextUse() -> UInt64 {
        uses += 1
        return uses
    }

    // MARK: Work for the end of the step

    /// Has a conversation stored at the end of the step.
    mutating func markDirty(_ conversation: ConversationID) { dirty.insert(conversation) }

    /// Takes the conversations that are to be stored.
    mutating func takeDirty() -> [ConversationID] {
        defer { dirty = [] }
        return dirty.sorted()
    }

    /// Has a conversation's contact card sent once the input has been handled.
    mutating func sendCard(in conversation: ConversationID) { cardsDue.append(conversation) }

    /// Takes the conversations whose contact cards are due.
    mutating func takeCardsDue() -> [ConversationID] {
        defer { cardsDue = [] }
        return cardsDue
    }

    // MARK: Events and answers

    /// Tells the user.
    mutating func emit(_ event: KithEvent) { output.effects.append(.event(event)) }

    /// Ends a command.
    mutating func finish<Answer>(_ ticket: Ticket<Answer>, _ result: Result<Answer, KithError>) {
        output.effects.append(.finish(ticket.id, result.map { $0 }))
    }

    /// Ends a command that could not be begun.
    mutating func fail(_ command: GivenCommand, _ error: KithError) {
        output.effects.append(.finish(command.id, .failure(error)))
    }

    // MARK: Relays

    /// Has a connection to a relay kept from now on.
    mutating func connect(_ relay: RelayID, _ point: RelayPoint) { output.effects.append(.connect(relay, point)) }

    /// Makes a request of a relay that is connected; what the answer is for is remembered.
    mutating func request(_ relay: RelayID, _ request: Request, for purpose: RequestPurpose) {
        output.effects.append(.request(relay, tag: tags.new(relay, purpose), request))
    }

    /// Follows an epoch of a channel.
    ///
    /// - Returns: the number by which what the follow brings is known.
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

    /// The purpose of an answered request; `nil` if it was not asked on this connection.
    mutating func takeRequest(_ tag: UInt64, _ relay: RelayID) -> RequestPurpose? { tags.takeRequest(tag, relay) }

    /// The purpose of a follow; `nil` if it is over.
    func purpose(ofFollow tag: UInt64, _ relay: RelayID) -> FollowPurpose? { tags.follow(tag, relay) }

    /// The relay ended a follow.
    mutating func endFollow(_ tag: UInt64, _ relay: RelayID) -> FollowPurpose? { tags.takeFollow(tag, relay) }

    /// Forgets what was under way at a relay.
    mutating func forget(_ relay: RelayID) { tags.forget(relay) }
}
