import Foundation

/// Random numbers that can be had again: the same seed gives the same ones (SplitMix64). The seed is printed, and
/// `KITH_SEED` sets it.
struct Seed: RandomNumberGenerator, Sendable {
    let seed: UInt64
    private var state: UInt64

    init(_ purpose: String) {
        let given = ProcessInfo.processInfo.environment["KITH_SEED"].flatMap { UInt64($0) }
        self.init(given ?? UInt64.random(in: 0 ... .max))
        print("\(purpose): KITH_SEED=\(seed)")
    }

    private init(_ seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Another sequence for each number, from the same seed.
    func branch(_ number: Int) -> Seed { Seed(seed &+ UInt64(number) &* 0xd1b5_4a32_d192_ed03) }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// How much a test does: less where a person waits for it.
enum Count {
    /// The numbers that the relay is held to, instead of a fraction.
    static let isFull = ProcessInfo.processInfo.environment["KITH_QUICK"] == nil

    static func of(_ full: Int, quick: Int) -> Int { isFull ? full : quick }
}
