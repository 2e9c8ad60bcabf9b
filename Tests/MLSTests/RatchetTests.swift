import TLSCodec
import Testing

@testable import MLS

/// The keys of skipped messages are kept within the window and forgotten beyond it (RFC 9420 §9.2).
@Suite("Ratchets")
struct RatchetTests {
    private let algorithms: Algorithms
    private let window = RatchetWindow(maximumForwardDistance: 20, outOfOrderWindow: 3)
    private let consumed = MLSError.message(.generationConsumed)

    init() throws { algorithms = try CipherSuite.x25519AES128SHA256Ed25519.requireAlgorithms() }

    private func ratchet() -> HashRatchet { HashRatchet(secret: SecretBytes([UInt8](repeating: 1, count: 32))) }

    /// A stored ratchet at a generation, with nothing skipped.
    private func ratchet(at generation: UInt32) throws -> HashRatchet {
        var writer = TLSWriter()
        writer.writeOpaque([UInt8](repeating: 1, count: 32))
        writer.write(generation)
        writer.writeOpaque([])
        var reader = TLSReader(writer.bytes)
        return try HashRatchet(from: &reader)
    }

    @Test("a jump ahead keeps the keys of the window and no older ones")
    func jump() throws {
        var ratchet = ratchet()
        #expect(try ratchet.take(10, window, algorithms).generation == 10)
        #expect(ratchet.skippedCount == 3)
        #expect(throws: consumed) { try ratchet.take(6, window, algorithms) }
        #expect(try ratchet.take(7, window, algorithms).generation == 7)
        #expect(throws: consumed) { try ratchet.take(7, window, algorithms) }
        #expect(throws: consumed) { try ratchet.take(10, window, algorithms) }
        #expect(ratchet.skippedCount == 2)
    }

    @Test("messages that arrive in order push skipped keys out of the window")
    func inOrder() throws {
        var ratchet = ratchet()
        _ = try ratchet.take(3, window, algorithms)
        #expect(ratchet.skippedCount == 3)
        for (generation, left) in [(UInt32(4), 2), (5, 1), (6, 0)] {
            _ = try ratchet.take(generation, window, algorithms)
            #expect(ratchet.skippedCount == left)
        }
        #expect(throws: consumed) { try ratchet.take(2, window, algorithms) }
    }

    @Test("a stored ratchet holds the kept keys and no others")
    func stored() throws {
        var (long, short) = (ratchet(), ratchet())
        _ = try long.take(10, window, algorithms)
        _ = try short.take(3, window, algorithms)
        var writers = (TLSWriter(), TLSWriter())
        long.encode(into: &writers.0)
        short.encode(into: &writers.1)
        #expect(writers.0.bytes.count == writers.1.bytes.count)
    }

    @Test("no window keeps more keys than the limit or admits one step too many")
    func limits() throws {
        var ratchet = ratchet()
        let wide = RatchetWindow(maximumForwardDistance: 2_000, outOfOrderWindow: 5_000)
        _ = try ratchet.take(1_500, wide, algorithms)
        #expect(ratchet.skippedCount == Limits.skippedKeys)
        #expect(try ratchet.take(500, wide, algorithms).generation == 500)
        #expect(throws: consumed) { try ratchet.take(499, wide, algorithms) }
        #expect(throws: MLSError.message(.generationTooFarAhead)) { try ratchet.take(1_522, window, algorithms) }
        #expect(ratchet.generation == 1_501)
        #expect(try ratchet.take(1_521, window, algorithms).generation == 1_521)
    }

    @Test("the counter does not wrap")
    func overflow() throws {
        var last = try ratchet(at: .max - 1)
        #expect(try last.next(algorithms).generation == .max - 1)
        #expect(throws: MLSError.usage(.generationOverflow)) { try last.next(algorithms) }
    }
}
