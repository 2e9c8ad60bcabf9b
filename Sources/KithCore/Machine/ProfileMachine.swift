import KithWire
import MLS

/// The state machine of a profile. The machine receives inputs, and returns values to store and effects to perform. It has no
/// clock and no network, and reads the store but never writes to it. It passes each input on to the parts that the input
/// concerns, such as the machine of a conversation.
///
/// If a step throws an error, the machine cannot be used any more, because the state in memory may be newer than the store. After
/// the error, drop the machine and open a new machine.
package final class ProfileMachine {
    var state: ProfileState
    private(set) var inboxes: InboxTable
    /// The cursors of programs that read messages; `nil` until a cursor is used.
    private var cursors: CursorBook?

    /// Reads a profile's state.
    ///
    /// - Parameters:
    ///   - store: the store with the profile.
    ///   - now: the time of the device's clock, in milliseconds since 1970.
    ///   - steady: milliseconds from any starting point, by a clock that nobody sets; `nil` if nobody sets the device's clock
    ///     either.
    ///   - random: the source of all random bytes.
    ///   - sizes: the maximum sizes of a commit and of a Welcome in an entry.
    ///   - folding: decides which names look the same.
    /// - Throws: ``KithError/noProfile`` or ``KithError/store(_:)``.
    package init(
        opening store: any ProfileStore, now: UInt64, steady: UInt64? = nil, random: RandomSource = .system,
        sizes: EntrySizes = EntrySizes(), folding: NameFolding
    ) throws(KithError) {
        let clocks = Clocks(wall: now, steady: steady ?? now)
        let device = try DeviceState(
            store, clocks: clocks, random: random, sizes: sizes, folding: folding, isForReading: false)
        (state, inboxes) = try StoredProfile.load(device)
    }

    /// Opens a profile that will only be read. Damaged values are left out and counted. The machine must not get any inputs.
    ///
    /// - Throws: ``KithError/noProfile`` or ``KithError/store(_:)``.
    package init(reading store: any ProfileStore, now: UInt64, folding: NameFolding) throws(KithError) {
        let clocks = Clocks(wall: now, steady: now)
        let device = try DeviceState(store, clocks: clocks, folding: folding, isForReading: true)
        (state, inboxes) = try StoredProfile.load(device)
    }

    // MARK: Steps

    /// Begins the machine's work. `now` and `steady` are as in ``init(opening:now:steady:random:sizes:folding:)``.
    ///
    /// - Returns: the output of the first step.
    package func start(now: UInt64, steady: UInt64? = nil) throws(KithError) -> ProfileOutput {
        try run(now, steady) { () throws(KithError) in
            try renewCertificate()
            try eraseExpired()
            for relay in relaysInUse { state.device.keepConnected(to: relay) }
        }
    }

    /// Handles inputs that arrived together, in order. The changes of all inputs are stored in one transaction. `now` and `steady`
    /// are as in ``init(opening:now:steady:random:sizes:folding:)``.
    package func handle(
        _ inputs: [ProfileInput], now: UInt64, steady: UInt64? = nil
    ) throws(KithError) -> ProfileOutput {
        try run(now, steady) { () throws(KithError) in
            for input in inputs {
                try handle(input)
                try beginAnew()
                try sendCardsDue()
                takeRequests()
            }
        }
    }

    private func run(
        _ wall: UInt64, _ steady: UInt64?, _ body: () throws(KithError) -> Void
    ) throws(KithError) -> ProfileOutput {
        state.device.advance(wall: wall, steady: steady ?? wall)
        if state.device.clockWasSet() { try eraseExpired() }
        try body()
        try FileUploads(profile: self).advance()
        state.device.reportClocks()
        for id in inboxes.ids { try pass(.stepEnds, to: id) }
        state.storeConversations()
        state.unloadIdleGroups()
        return state.device.step.finish()
    }

    /// The milliseconds from the last input until ``ProfileInput/tick`` is due; `nil` if nothing waits for a time.
    package var wakeDelay: UInt64? {
        let (device, conversations) = (state.device, state.conversations)
        var due = device.deliveries.due(device.relays) + device.parcels.due
        due += device.erasures.delays(device.clocks, relay: conversations.relay(of:)).map(device.now.plus)
        due += FileUploads(profile: self).due
        for place in conversations.all { due += place.machine.due(in: device) }
        for place in inboxes.all { due += place.machine.due(in: device) }
        return due.min().map { $0 - min($0, device.now) }
    }

    // MARK: Inputs

    private func handle(_ input: ProfileInput) throws(KithError) {
        switch input {
        case .connected(let relay, _, let time):
            if state.device.didConnect(relay, timeMs: time) { try didConnect(relay) }
        case .disconnected(let relay): try didDisconnect(relay)
        case .answered(let relay, let tag, let result):
            if let purpose = state.device.step.takeRequest(tag, relay) { try didAnswer(relay, purpose, result) }
        case .followStarted(let relay, let tag, let firstSeq, let lastSeq):
            try didStartFollow(relay, tag, firstSeq: firstSeq, lastSeq: lastSeq)
        case .followed(let relay, let tag, let event): try didFollow(relay, tag, event)
        case .followRefused(let relay, let tag, let error): try didRefuseFollow(relay, tag, error)
        case .command(let command): try perform(command)
        case .tick: try tick()
        }
    }

    private func didConnect(_ relay: RelayID) throws(KithError) {
        for id in inboxes.ids(at: relay) { try pass(.connected, to: id) }
        for id in state.conversations.ids { try pass(.connected(relay), to: id) }
        withDevice { $0.parcels.didConnect(relay, $0.relays, in: &$0.step) }
        state.device.deletions.didConnect(relay)
        for number in state.device.deliveries.numbers(at: relay) { try pass(state.device.openDelivery(number)) }
        for asker in state.device.nameRequests.askers(at: relay) { try sendNameRequest(asker) }
        for id in inboxes.ids(at: relay) { try pass(.renewName, to: id) }
    }

    private func didDisconnect(_ relay: RelayID) throws(KithError) {
        state.device.didDisconnect(relay)
        for place in state.conversations.all where place.machine.record.relay == relay {
            state.device.uploads.didDisconnect(place.machine.id)
        }
        for id in state.conversations.ids { try pass(.disconnected(relay), to: id) }
        for id in inboxes.ids(at: relay) { try pass(.disconnected, to: id) }
        state.device.parcels.didDisconnect(relay)
        state.device.deliveries.resetConnection(relay)
    }

    private func didAnswer(
        _ relay: RelayID, _ purpose: RequestPurpose, _ result: Result<Reply, RelayError>
    ) throws(KithError) {
        if purpose.takesRoom, let room = state.device.relays.noteRoom(at: relay, result), let known = knownRelay(relay)
        {
            state.device.emit(.relay(known, room))
        }
        switch purpose {
        case .conversation(let id, let request): try pass(.answered(request, result), to: id)
        case .inbox(let id, let request): try pass(.answered(request, result), to: id)
        case .delivery(let number, let request):
            try pass(state.device.didAnswerDelivery(number, request, result))
        case .parcel(let purpose):
            if case .failure(let error) = result { try pass(state.device.didRefuseParcel(purpose, error)) }
        case .name(let asker): try didAnswerName(asker, result)
        case .upload(let id): try FileUploads(profile: self).didReserve(id, result)
        }
    }

    private func didStartFollow(
        _ relay: RelayID, _ tag: UInt64, firstSeq: UInt64, lastSeq: UInt64
    ) throws(KithError) {
        switch state.device.step.purpose(ofFollow: tag, relay) {
        case .conversation(let id, let epoch):
            let place = FollowPlace(epoch: epoch, firstSeq: firstSeq, lastSeq: lastSeq)
            try pass(.followStarted(tag, place), to: id)
        case .inbox(let id): try pass(.followStarted(tag, lastSeq: lastSeq), to: id)
        case .parcel(let purpose): try pass(state.device.didStartParcel(purpose, tag, lastSeq: lastSeq))
        case nil: break
        }
    }

    private func didFollow(_ relay: RelayID, _ tag: UInt64, _ event: FollowEvent) throws(KithError) {
        switch state.device.step.purpose(ofFollow: tag, relay) {
        case .conversation(let id, let epoch): try pass(.followed(tag, epoch: epoch, event), to: id)
        case .inbox(let id): try pass(.followed(event), to: id)
        case .parcel(let purpose): try pass(state.device.takeParcel(purpose, tag, event))
        case nil: break
        }
    }

    private func didRefuseFollow(_ relay: RelayID, _ tag: UInt64, _ error: RelayError) throws(KithError) {
        switch state.device.step.endFollow(tag, relay) {
        case .conversation(let id, _): try pass(.followRefused(tag, error), to: id)
        case .inbox(let id): try pass(.followRefused(error), to: id)
        case .parcel(let purpose): try pass(state.device.didRefuseParcel(purpose, tag, error))
        case nil: break
        }
    }

    private func tick() throws(KithError) {
        try eraseExpired()
        for number in state.device.deliveries.ready(at: state.device.now) {
            try pass(state.device.openDelivery(number))
        }
        for purpose in state.device.parcels.purposes { try pass(state.device.tickParcel(purpose)) }
        try renewCertificate()
        for id in inboxes.ids { try pass(.tick, to: id) }
        for id in state.conversations.ids { try pass(.tick, to: id) }
    }

    // MARK: Passing inputs on

    /// Passes an input to a conversation, if it exists.
    func pass(_ input: ConversationInput, to id: ConversationID) throws(KithError) {
        guard let place = state.conversations[id] else { return }
        let wasLoaded = place.machine.keptGroup.isLoaded
        try place.handle(input, in: &state.device)
        state.conversations.removeIfDiscarded(id)
        if !wasLoaded, place.machine.keptGroup.isLoaded { state.unloadIdleGroups() }
    }

    /// Passes an input to an inbox, if it exists.
    func pass(_ input: InboxInput, to id: InboxID) throws(KithError) {
        try inboxes[id]?.handle(input, in: &state)
        inboxes.removeIfForgotten(id)
    }

    /// Runs `body` on the state that the device's machines share.
    func withDevice<T, E: Error>(_ body: (inout DeviceState) throws(E) -> T) throws(E) -> T {
        try body(&state.device)
    }

    /// Runs `body` with the profile's cursors. On first use, the cursors are read from the store.
    func withCursors<T>(
        _ body: (inout CursorBook, inout ProfileState) throws(KithError) -> T
    ) throws(KithError) -> T {
        var book: CursorBook
        if let cursors { book = cursors } else { book = try CursorBook(from: state.device.store) }
        let result = try body(&book, &state)
        cursors = book
        return result
    }

    /// Creates an inbox, which is opened when its relay is connected.
    ///
    /// - Returns: the inbox; `nil` if the relay is unknown.
    func makeInbox(at relay: RelayID, for purpose: InboxRecord.Purpose) throws(KithError) -> InboxMachine? {
        guard state.device.relays[relay] != nil else { return nil }
        let id = state.device.step.numbers.nextInbox()
        inboxes.add(id, InboxRecord(relay: relay, purpose: purpose, random: state.device.random))
        let made = inboxes[id]?.machine
        try pass(.made, to: id)
        return made
    }

    private func pass(_ events: [DeliveryQueue.Event]) throws(KithError) {
        for event in events { try pass(.delivery(event), to: event.conversation) }
    }

    private func pass(_ event: ParcelFetches.Event?) throws(KithError) {
        switch event {
        case .came(.tree(let inbox), let bytes): try pass(.treeFetched(bytes), to: inbox)
        case .came(.commit(let conversation), let bytes): try pass(.commitFetched(bytes), to: conversation)
        case .failed(.tree(let inbox), _): try pass(.treeLost, to: inbox)
        case .failed(.commit(let conversation), let code): try pass(.commitLost(code), to: conversation)
        case nil: break
        }
    }
}
