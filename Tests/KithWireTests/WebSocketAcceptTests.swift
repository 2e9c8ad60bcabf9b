import KithWire
import Testing

@Suite struct WebSocketAcceptTests {
    @Test("the value is that of the example in RFC 6455 §1.3")
    func example() {
        #expect(WebSocketAccept.value(forKey: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }
}
