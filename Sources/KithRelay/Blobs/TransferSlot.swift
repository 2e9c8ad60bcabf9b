/// The slot that a connection needs to transfer blobs. The slot counts against two limits: that of all connections, and that of
/// the connection's address.
struct TransferSlot {
    private let slots: SlotPool
    private let rates: SourceRates
    private var isTaken = false

    init(of slots: SlotPool, _ rates: SourceRates) {
        self.slots = slots
        self.rates = rates
    }

    /// Takes the slot, unless the connection has it already. Returns `false` if no slot is free.
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

    /// Gives the slot back, if it was taken.
    mutating func giveBack() {
        guard isTaken else { return }
        isTaken = false
        slots.giveBack()
        rates.giveTransferBack()
    }
}
