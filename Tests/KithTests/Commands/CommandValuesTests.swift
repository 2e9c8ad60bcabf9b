import Foundation
import KithWire
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite struct CommandValuesTests {
    @Test(
        "durations have a number and a unit or are 0, and anything else is refused",
        arguments: [
            ("90", nil), ("5", nil), ("00", nil), ("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800),
            ("0", 0), ("", nil), ("d", nil),
            ("-1", nil), ("1.5h", nil), ("1w", nil), ("99999999999999999999", nil), ("18446744073709551615d", nil),
            ("٣d", nil),
        ] as [(String, UInt64?)])
    func lifetimes(text: String, seconds: UInt64?) { #expect(DurationArgument(argument: text)?.seconds == seconds) }

    @Test(
        "a file's number is an entry, or one of its files",
        arguments: [
            ("12", 12, nil), ("12.2", 12, 2), ("12.0", nil, nil), ("12.17", nil, nil), ("0", nil, nil), ("-", nil, nil),
            ("1.2.3", nil, nil), ("", nil, nil), ("12.", nil, nil), ("+12", nil, nil),
        ] as [(String, UInt64?, Int?)])
    func fileNumbers(text: String, seq: UInt64?, number: Int?) {
        let parsed = FileNumber(argument: text)
        #expect(parsed?.message == seq.map(MessageNumber.seq) && parsed?.number == number)
    }

    @Test("a file's number may count back over the messages with files")
    func fileNumbersFromEnd() {
        for (text, count, number) in [("-1", 1, nil), ("−2", 2, nil), ("-3.2", 3, 2)] as [(String, Int, Int?)] {
            let parsed = FileNumber(argument: text)
            #expect(parsed?.message == .fromEnd(count) && parsed?.number == number, "\(text)")
        }
    }

    @Test(
        "a size has a unit or is in bytes",
        arguments: [
            ("5MiB", 5 << 20), ("off", 0), ("0", 0), ("17", 17), ("2GiB", 2 << 30), ("1KiB", 1_024), ("MiB", nil),
            ("5MB", nil),
            ("-1", nil), ("99999999999GiB", nil),
        ] as [(String, UInt64?)])
    func sizes(text: String, bytes: UInt64?) { #expect(SizeArgument(argument: text)?.bytes == bytes) }

    @Test(
        "a size is shown with the largest unit that fits",
        arguments: [
            (0, "0 bytes"), (1, "1 byte"), (1_023, "1023 bytes"), (1_024, "1.0 KiB"), (10_240, "10 KiB"),
            (1_258_291, "1.1 MiB"),
            (5 << 30, "5.0 GiB"), (UInt64.max, "16383 PiB"),
        ] as [(UInt64, String)])
    func shownSizes(bytes: UInt64, text: String) { #expect(ByteCount.text(bytes) == text) }

    @Test("the progress of files has their share, the rate and the time that is left")
    func progressLine() {
        let file = MessageFile(
            number: 1, FileLabel(name: "film.mp4", mediaType: ""), size: 100 << 20, isInMessage: false)
        func progress(_ done: UInt64, _ trouble: String? = nil) -> FileProgress {
            FileProgress(
                conversation: ConversationID(rawValue: 1), message: .random(), file: file, isUpload: true, done: done,
                total: 100 << 20, trouble: trouble)
        }
        #expect(
            TransferDisplay.line([progress(25 << 20)], rate: Double(5 << 20))
                == "[“film.mp4”: 25 % of 100 MiB, 5.0 MiB/s, 15 s left]")
        #expect(
            TransferDisplay.line([progress(0), progress(100 << 20)], rate: 0) == "[2 files: 50 % of 200 MiB]")
        #expect(
            TransferDisplay.line([progress(1, "no answer")], rate: 9)
                == "[“film.mp4”: 0 % of 100 MiB, waiting: no answer]")
    }

    @Test("addresses are ranked by reach, and unreachable ones are left out")
    func addresses() throws {
        func rank(_ address: String, _ interface: String = "eth0") -> Int? {
            OwnAddresses.rank(of: address, interface: interface)
        }
        for useless in ["127.0.0.1", "169.254.3.4", "0.0.0.0", "fe80::1", "not an address"] {
            #expect(rank(useless) == nil)
        }
        let order = ["203.0.113.9", "192.168.1.5", "10.0.0.4", "2001:db8::7", "fd00::1"]
        let ranks = try order.map { try #require(rank($0)) }
        #expect(ranks == ranks.sorted())
        #expect(try #require(rank("172.17.0.1", "docker0")) > (try #require(rank("fd00::1"))))
    }

    @Test("any time that a sender claims can be printed")
    func moments() {
        #expect(Timestamp(ms: 0).iso == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(ms: 1_795_523_320_637).iso == "2026-11-24T12:28:40.637Z")
        #expect(Timestamp(ms: .max).iso.hasPrefix("9999-12-31T23:59:59"))
        #expect(!Timestamp(ms: .max).local.isEmpty)
        #expect(Timestamp(seconds: .max).iso.hasPrefix("9999-12-31T23:59:59"))
    }

    @Test("ids have 32 hexadecimal digits")
    func ids() {
        let id = EntryID.random()
        #expect(EntryID(hex: id.hex) == id)
        for text in ["", "12", String(repeating: "g", count: 32), String(repeating: "a", count: 33)] {
            #expect(EntryID(hex: text) == nil)
        }
    }
}
