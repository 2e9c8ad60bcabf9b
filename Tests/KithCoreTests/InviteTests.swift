import KithSupport
import KithWire
import TLSCodec
import Testing

@testable import KithCore

@Suite("The line of an invite")
struct InviteTests {
    private let invite: Invite

    init() throws {
        let account = try #require(AccountKey([UInt8](repeating: 1, count: 32)))
        let relay = RelayPoint(
            address: try #require(RelayAddress("127.0.0.1:4433")),
            pin: try #require(RelayPin([UInt8](repeating: 7, count: 32))))
        invite = Invite(
            inbox: InboxAddress(
                relay: relay, channel: .random(), appendToken: .random(), sealKey: InboxSealKey(random: .system),
                account: account.fingerprint),
            name: "alice", expiresAt: 1_750_000_000)
    }

    private func line(_ bytes: [UInt8]) -> String { "kith:" + Base64URL.encode(bytes) }

    private func line(version: UInt8) -> String { line([version] + invite.encoded.dropFirst()) }

    @Test("is read with spaces, line breaks and capitals in the scheme")
    func pasted() throws {
        let line = invite.line
        #expect(try Invite(line: line) == invite)
        #expect(try Invite(line: " \(line.prefix(40))\n  \(line.dropFirst(40)) \r\n") == invite)
        #expect(try Invite(line: "KITH:" + line.dropFirst(5)) == invite)
    }

    @Test("is refused without its beginning, cut off, or with more text after it")
    func damaged() {
        let line = invite.line
        for other in ["", "kith", "nith:" + line.dropFirst(5), String(line.dropFirst(5)), "x" + line] {
            #expect(throws: InviteError.notAnInvite) { try Invite(line: other) }
        }
        for other in ["kith:", String(line.dropLast(2)), line + "AA", "kith:" + line] {
            #expect(throws: InviteError.incomplete) { try Invite(line: other) }
        }
    }

    @Test("is refused beyond the length limit without being decoded")
    func length() {
        let longest = "kith:" + String(repeating: "A", count: ClientLimits.invite - 5)
        #expect(throws: InviteError.incomplete) { try Invite(line: longest) }
        #expect(throws: InviteError.notAnInvite) { try Invite(line: longest + "A") }
    }

    @Test("of a later version is named as such, up to the last plausible version", arguments: 2...UInt8(8))
    func laterVersion(version: UInt8) {
        #expect(throws: InviteError.version(version)) { try Invite(line: line(version: version)) }
    }

    @Test("of an impossible version counts as damaged", arguments: [0, 9, UInt8.max])
    func noVersion(version: UInt8) {
        #expect(throws: InviteError.incomplete) { try Invite(line: line(version: version)) }
        #expect(throws: TLSCodecError.unknownValue(field: "Invite.version", value: UInt64(version))) {
            try Invite(decoding: [version] + invite.encoded.dropFirst())
        }
    }
}
