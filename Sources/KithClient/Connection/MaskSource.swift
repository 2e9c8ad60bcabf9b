/// Creates unpredictable masks for client frames (RFC 6455 §10.3). One call to the system gives two masks.
struct MaskSource {
    private var spare: UInt32?
    private var random = SystemRandomNumberGenerator()

    mutating func next() -> UInt32 {
        if let mask = spare {
            spare = nil
            return mask
        }
        let word = random.next()
        spare = UInt32(truncatingIfNeeded: word >> 32)
        return UInt32(truncatingIfNeeded: word)
    }
}
