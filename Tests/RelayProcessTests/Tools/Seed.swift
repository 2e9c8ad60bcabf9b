import Foundation
import TestSupport

/// Random numbers from a printed seed. `KITH_SEED` sets the seed to repeat a run.
struct Seed: RandomNumberGenerator, Sendable {
    let seed: UInt64
    private var generator: SeededGenerator

    init(_ purpose: String) {
        let given = ProcessInfo.processInfo.environment["KITH_SEED"].flatMap { UInt64($0) }
        self.init(given ?? UInt64.random(in: 0 ... .max))
        print("\(purpose): KITH_SEED=\(seed)")
    }

    private init(_ seed: UInt64) {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    /// Another sequence for each number, from the same seed.
    func branch(_ number: Int) -> Seed { Seed(seed &+ UInt64(number) &* 0xd1b5_4a32_d192_ed03) }

    mutating func next() -> UInt64 { generator.next() }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// The amount of work of a test: less if a person waits for it.
enum Count {
    /// Whether tests run at full size instead of a fraction of it.
    static let isFull = ProcessInfo.processInfo.environment["KITH_QUICK"] == nil

    static func of(_ full: Int, quick: Int) -> Int { isFull ? full : quick }
}
