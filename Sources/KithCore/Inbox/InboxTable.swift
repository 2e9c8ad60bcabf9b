import KithWire

/// The inboxes of a profile.
struct InboxTable {
    /// A reference to one machine. Only this class changes the machine. A loop over all inboxes copies references, not machines.
    final class Place {
        private(set) var machine: InboxMachine

        fileprivate init(_ machine: InboxMachine) { self.machine = machine }

        func handle(_ input: InboxInput, in profile: inout ProfileState) throws(KithError) {
            try machine.handle(input, in: &profile)
        }
    }

    private var places: [InboxID: Place] = [:]

    var ids: [InboxID] { places.keys.sorted() }

    /// All inboxes, in no particular order.
    var all: some Collection<Place> { places.values }

    subscript(_ id: InboxID) -> Place? { places[id] }

    func ids(at relay: RelayID) -> [InboxID] {
        places.filter { $0.value.machine.record.relay == relay }.keys.sorted()
    }

    /// Returns the inbox that a contact uses to reach this device.
    func inbox(for contact: ContactID, at relay: RelayID) -> InboxMachine? {
        ids.lazy.compactMap { self.places[$0]?.machine }.first {
            $0.record.purpose == .contact(contact) && $0.record.relay == relay && !$0.record.isClosing
        }
    }

    /// Returns the inbox to which a name leads.
    func inbox(for name: Name, at relay: RelayID) -> InboxID? {
        places.first { $0.value.machine.record.relay == relay && $0.value.machine.record.purpose == .name(name) }?.key
    }

    /// Adds an inbox that is new or was read from the store.
    mutating func add(_ id: InboxID, _ record: InboxRecord) {
        places[id] = Place(InboxMachine(id: id, record: record))
    }

    mutating func removeIfForgotten(_ id: InboxID) {
        if places[id]?.machine.isForgotten == true { places[id] = nil }
    }
}
