/// A hash of the events of a simulation (FNV-1a, 64 bits). Random bytes are left out, so two runs of one seed have the same hash.
struct Trace {
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    /// Whether the lines are kept for printing.
    var keepsLines = false
    private(set) var lines: [String] = []

    mutating func note(_ time: UInt64, _ text: @autoclosure () -> String) {
        let text = text()
        for byte in text.utf8 { add(byte) }
        for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: time >> UInt64(shift))) }
        if keepsLines { lines.append("\(time - Simulation.beginningMs) \(text)") }
    }

    private mutating func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
}
