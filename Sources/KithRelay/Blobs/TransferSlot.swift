/// A connection's slot for transfers of blobs, out of those of all connections and those of its address.
struct TransferSlot {
    private let slots: SlotPool
    private let rates: SourceRates
    private var isTaken = false

    init(of slots: SlotPool, _ rates: SourceRates) {
        self.slots = slots
        self.rates = rates
    }

    /// Takes the slot, if that has not happened. Returns `false` if none is free.
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
