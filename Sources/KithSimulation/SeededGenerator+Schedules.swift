import MLS
import Synchronization
import TestSupport

extension SeededGenerator {
    /// Creates a new generator, whose seed is derived from the next number of this one. After this call, the two generators do
    /// not affect each other.
    mutating func fork() -> SeededGenerator { SeededGenerator(seed: next() ^ 0x6b69_7468) }

    /// Returns `true` with the given probability.
    mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) * 0x1p-53 < probability
    }

    /// Returns a random number in a range.
    mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// Returns a random element; `nil` if there is none.
    mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &self) }
}

extension SeededGenerator {
    /// Returns the generator as a source of random bytes for MLS and Kith.
    func source() -> RandomSource {
        let generator = Mutex(self)
        // A closure cannot store a lock itself, only a reference to one.
        let box = Box(generator: generator)
        return RandomSource { buffer in
            box.generator.withLock { generator in
                for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: generator.next() >> 56) }
            }
        }
    }

    private final class Box: Sendable {
        let generator: Mutex<SeededGenerator>
        init(generator: consuming sending Mutex<SeededGenerator>) { self.generator = generator }
    }
}
