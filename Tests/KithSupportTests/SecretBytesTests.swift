import KithSupport
import Testing

@Suite("Secret bytes")
struct SecretBytesTests {
    @Test("are equal only if both have the same bytes and as many")
    func equal() {
        let secret = SecretBytes([1, 2, 3])
        #expect(secret == SecretBytes([1, 2, 3]))
        for other in [[], [1, 2], [1, 2, 4], [1, 2, 3, 0]] as [[UInt8]] { #expect(secret != SecretBytes(other)) }
        #expect(SecretBytes([UInt8]()) == SecretBytes([UInt8]()))
    }

    @Test("print their length, and not what they are")
    func printed() {
        #expect("\(SecretBytes([65, 66]))" == "SecretBytes(2 bytes)")
        #expect(String(reflecting: SecretBytes([65, 66])) == "SecretBytes(2 bytes)")
    }
}
