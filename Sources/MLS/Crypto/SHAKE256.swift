import KithSupport

/// SHAKE256 (FIPS 202). This module uses SHAKE256 only to derive the key pairs of X-Wing and ML-KEM. The HPKE definitions of
/// X-Wing and ML-KEM require SHAKE256. swift-crypto has SHA-3 but not SHAKE. A test compares the permutation with swift-crypto's
/// SHA3-256.
enum SHAKE256 {
    /// Returns the first `count` bytes of the output for `input`.
    static func hash(_ input: SecretBytes, suffix: [UInt8] = [], count: Int) -> SecretBytes {
        var message = input.copyBytes() + suffix
        defer { message.wipe() }
        return sponge(message, domain: 0x1f, rate: 136, count: count)
    }

    /// The Keccak sponge with multi-rate padding. `domain` contains the suffix bits and the first padding bit.
    static func sponge(_ message: [UInt8], domain: UInt8, rate: Int, count: Int) -> SecretBytes {
        var state = [UInt64](repeating: 0, count: 25)
        defer { state.withUnsafeMutableBytes { wipe($0) } }
        var position = 0
        func absorb(_ byte: UInt8, _ index: Int) {
            state[index / 8] ^= UInt64(byte) << (8 * UInt64(index % 8))
        }
        for byte in message {
            absorb(byte, position)
            position += 1
            if position == rate {
                permute(&state)
                position = 0
            }
        }
        absorb(domain, position)
        absorb(0x80, rate - 1)
        return SecretBytes(count: count) { output in
            for index in 0..<count {
                if index % rate == 0 { permute(&state) }
                let at = index % rate
                output[index] = UInt8(truncatingIfNeeded: state[at / 8] >> (8 * UInt64(at % 8)))
            }
        }
    }

    /// Keccak-f[1600] (FIPS 202 §3.3).
    private static func permute(_ lanes: inout [UInt64]) {
        for round in roundConstants {
            // θ
            var parity = (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0))
            parity.0 = lanes[0] ^ lanes[5] ^ lanes[10] ^ lanes[15] ^ lanes[20]
            parity.1 = lanes[1] ^ lanes[6] ^ lanes[11] ^ lanes[16] ^ lanes[21]
            parity.2 = lanes[2] ^ lanes[7] ^ lanes[12] ^ lanes[17] ^ lanes[22]
            parity.3 = lanes[3] ^ lanes[8] ^ lanes[13] ^ lanes[18] ^ lanes[23]
            parity.4 = lanes[4] ^ lanes[9] ^ lanes[14] ^ lanes[19] ^ lanes[24]
            let mix = (
                parity.4 ^ rotate(parity.1, 1), parity.0 ^ rotate(parity.2, 1), parity.1 ^ rotate(parity.3, 1),
                parity.2 ^ rotate(parity.4, 1), parity.3 ^ rotate(parity.0, 1)
            )
            for row in stride(from: 0, to: 25, by: 5) {
                lanes[row] ^= mix.0
                lanes[row + 1] ^= mix.1
                lanes[row + 2] ^= mix.2
                lanes[row + 3] ^= mix.3
                lanes[row + 4] ^= mix.4
            }
            // ρ and π: one pass over the 24 lanes that move.
            var carried = lanes[1]
            for step in 0..<24 {
                let target = piLanes[step]
                let next = lanes[target]
                lanes[target] = rotate(carried, rhoOffsets[step])
                carried = next
            }
            // χ
            for row in stride(from: 0, to: 25, by: 5) {
                let old = (lanes[row], lanes[row + 1], lanes[row + 2], lanes[row + 3], lanes[row + 4])
                lanes[row] = old.0 ^ (~old.1 & old.2)
                lanes[row + 1] = old.1 ^ (~old.2 & old.3)
                lanes[row + 2] = old.2 ^ (~old.3 & old.4)
                lanes[row + 3] = old.3 ^ (~old.4 & old.0)
                lanes[row + 4] = old.4 ^ (~old.0 & old.1)
            }
            // ι
            lanes[0] ^= round
        }
    }

    private static func rotate(_ lane: UInt64, _ by: UInt64) -> UInt64 { lane << by | lane >> (64 - by) }

    /// The offsets of ρ in the order of π's lanes: the triangular numbers modulo 64.
    private static let rhoOffsets: [UInt64] = (1...24).map { UInt64($0 * ($0 + 1) / 2 % 64) }

    /// The lanes of π: from lane (x, y) to lane (y, 2x + 3y), beginning with the lane after (1, 0).
    private static let piLanes: [Int] = {
        var lanes: [Int] = []
        var (x, y) = (1, 0)
        for _ in 0..<24 {
            (x, y) = (y, (2 * x + 3 * y) % 5)
            lanes.append(x + 5 * y)
        }
        return lanes
    }()

    /// The constants of ι, from the linear feedback shift register of FIPS 202 §3.2.5.
    private static let roundConstants: [UInt64] = {
        var register: UInt8 = 1
        func nextBit() -> Bool {
            defer { register = register << 1 ^ (register & 0x80 == 0 ? 0 : 0x71) }
            return register & 1 == 1
        }
        return (0..<24).map { _ in
            var constant: UInt64 = 0
            for power in 0...6 where nextBit() { constant |= 1 << (1 << power - 1) }
            return constant
        }
    }()
}
