import KithSupport
import Testing

@Suite("Bytes and times as text")
struct TextFormTests {
    @Test("base64url: the test values of RFC 4648 §10, and the two characters that differ from base64")
    func base64URLValues() {
        let values = [
            "": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE", "foobar": "Zm9vYmFy",
        ]
        for (text, encoded) in values {
            #expect(Base64URL.encode(text.utf8) == encoded)
            #expect(Base64URL.decode(encoded) == Array(text.utf8))
        }
        #expect(Base64URL.encode([0xfb, 0xff, 0xbf]) == "-_-_")
        #expect(Base64URL.decode("-_-_") == [0xfb, 0xff, 0xbf])
    }

    @Test(
        "base64url: characters outside the alphabet, padding, a lone character and bits of no byte are refused",
        arguments: ["Zg==", "Zm9v\n", "+/+/", "Z", "Zm9vY", "Zh", "Zm9", "é"])
    func base64URLRefusals(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test("hexadecimal digits: lower case is written, either case is read, anything else is refused")
    func hex() {
        #expect(Hex.encode([0x00, 0x0a, 0xf0, 0xff]) == "000af0ff")
        #expect(Hex.decode("000aF0fF") == [0x00, 0x0a, 0xf0, 0xff])
        #expect(Hex.decode("") == [])
        for text in ["0", "000", "0g", " 00", "0x00"] { #expect(Hex.decode(text) == nil) }
    }

    @Test("times: the first, leap days, the ends of centuries, and the last with a year of four digits")
    func times() {
        let values: [UInt64: String] = [
            0: "1970-01-01T00:00:00Z",
            951_782_399: "2000-02-28T23:59:59Z",
            951_782_400: "2000-02-29T00:00:00Z",
            951_868_800: "2000-03-01T00:00:00Z",
            1_796_016_997: "2026-11-30T05:36:37Z",
            4_107_542_399: "2100-02-28T23:59:59Z",
            4_107_542_400: "2100-03-01T00:00:00Z",
            253_402_300_799: "9999-12-31T23:59:59Z",
        ]
        for (seconds, text) in values {
            #expect(UTCTime(milliseconds: seconds * 1000 + 999).description == text)
        }
        #expect(UTCTime(milliseconds: .max).description == "9999-12-31T23:59:59Z")
        #expect(UTCTime(milliseconds: 1_796_016_997_999).spaced == "2026-11-30 05:36:37 UTC")
        #expect(UTCTime(milliseconds: 253_402_300_800_000).spaced == "10000-01-01 00:00:00 UTC")
    }
}
