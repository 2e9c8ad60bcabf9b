/// The slot that a connection needs to transfer blobs. The slot counts against the limit of all connections and against the limit
/// of the connection's address.
struct TransferSlot {
    private let slots: SlotPool
    private let rates: SourceRates
    private var isTaken = false

    init(of slots: SlotPool, _ rates: SourceRates) {
        self.slots = slots
        self.rates = rates
    }

    /// Takes the slot if the connection does not have the slot yet. Returns `false` if no slot is free.
    mutating func take() -> Bool {
        guard !isTaken else { return true }
        guard slots.take() else { return false }
        guard rates.takeTransfer() else {
            slots.giveBack()
            return false
        }
        isTaken = true
        return true
    }

    /// Gives the slot back if the connection has the slot.
    mutating func giveBack() {
        guard isTaken else { return }
        isTaken = false
        slots.giveBack()
        rates.giveTransferBack()
    }
}
