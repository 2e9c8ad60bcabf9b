import KithWire

@testable import KithClient
@testable import KithCore

/// The upgrade comes to the same end however a response is cut into pieces.
func fuzzUpgrade(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let cuts = input.bytes(Int(input.byte() & 15))
    let response = input.rest
    let whole = upgrade([response])
    expect(whole == upgrade(pieces(of: response, cuts: cuts)), "cut at \(Array(cuts)), the upgrade ends otherwise")
    expect(whole == upgrade(response.map { [$0][...] }), "byte by byte, the upgrade ends otherwise")
}

private enum UpgradeEnd: Equatable {
    case open
    case upgraded(rest: [UInt8])
    case failed(RelayConnectionError.NotARelay)
}

/// The key of RFC 6455 §1.3, whose proof is known to the seeds.
private let upgradeKey = "dGhlIHNhbXBsZSBub25jZQ=="

private func upgrade(_ pieces: [ArraySlice<UInt8>]) -> UpgradeEnd {
    guard let address = RelayAddress("relay.example.org:4433") else { fatalError("an address is none") }
    var upgrade = WebSocketUpgrade(to: address, key: upgradeKey)
    for (index, piece) in pieces.enumerated() {
        do throws(RelayConnectionError.NotARelay) {
            if case .upgraded(let rest) = try upgrade.feed(piece) {
                return .upgraded(rest: Array(rest) + Array(pieces[(index + 1)...].joined()))
            }
        } catch {
            return .failed(error)
        }
    }
    return .open
}

/// Texts that people paste: a decoded pin or address is written in one form, which decodes to itself.
func fuzzRelayText(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let pin = RelayPin(text) {
        expect(RelayPin(pin.description) == pin, "a pin is not read back")
        expect(pin.description.utf8.count == 64, "a pin of another length")
    }
    if let address = RelayAddress(text) {
        expect(RelayAddress(address.description) == address, "an address is not read back")
        expect(
            address.description.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "an address with a strange character")
    }
}
