import MLS
import Synchronization
import TestSupport

extension SeededGenerator {
    /// A new generator. Drawing from one does not change the other.
    mutating func fork() -> SeededGenerator { SeededGenerator(seed: next() ^ 0x6b69_7468) }

    /// A random answer that is true with a probability.
    mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) * 0x1p-53 < probability
    }

    /// A random number of a range.
    mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// A random element; `nil` if there is none.
    mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &self) }
}

extension SeededGenerator {
    /// The generator as a source of MLS's and Kith's random bytes.
    func source() -> RandomSource {
        let generator = Mutex(self)
        // A closure can't hold a lock itself, only a reference to one.
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
