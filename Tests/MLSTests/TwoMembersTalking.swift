import Foundation
import MLS
import Testing

/// The code of the article `TwoMembersTalking`, line by line.
@Suite("The article")
struct TwoMembersTalking {
    struct Friends: AuthenticationService {
        let keys: [[UInt8]: SignaturePublicKey]

        func isValid(_ credential: Credential, signatureKey: SignaturePublicKey, as role: CredentialRole) -> Bool {
            guard case .basic(let identity) = credential else { return false }
            return keys[identity] == signatureKey
        }
    }

    @Test("two members talk, renew their keys and survive a restart, as the article says")
    func article() throws {
        let now: UInt64 = 1_750_000_000

        let suite = CipherSuite.xWingAES128SHA256Ed25519
        let alice = Client(credential: .basic(identity: [1]), signer: try SignaturePrivateKey(generatingFor: suite))
        let bob = Client(credential: .basic(identity: [2]), signer: try SignaturePrivateKey(generatingFor: suite))
        let friends = Friends(keys: [[1]: alice.signer.publicKey, [2]: bob.signer.publicKey])
        let environment = MLSEnvironment(authentication: friends, now: now)
        let lifetime = Lifetime(notBefore: now - 60, notAfter: now + 30 * 24 * 3_600)

        let bobsBundle = try KeyPackageBundle(suite: suite, client: bob, lifetime: lifetime)
        let published = bobsBundle.message.encoded

        var aliceGroup = try Group(
            creating: [7, 7, 7], suite: suite, client: alice, lifetime: lifetime, in: environment)
        guard case .keyPackage(let keyPackage) = try MLSMessage.decode(published) else { return }
        try keyPackage.verify(in: environment)
        let commit = try aliceGroup.commit(CommitOptions([.add(keyPackage)]), in: environment)
        try aliceGroup.apply(commit)

        guard let sent = commit.welcome?.encoded, case .welcome(let welcome) = try MLSMessage.decode(sent) else {
            return
        }
        var bobGroup = try Group(joining: welcome, with: bobsBundle, in: environment)

        let message = try aliceGroup.encrypt(Array("hello, Bob".utf8), in: environment).encoded
        if case .application(let received) = try bobGroup.process(message, in: environment) {
            print(String(decoding: received.data, as: UTF8.self))
        }

        let renewal = try bobGroup.commit(in: environment)
        if case .commit(let staged) = try aliceGroup.process(renewal.message.encoded, in: environment) {
            if staged.effect.added.isEmpty { try aliceGroup.apply(staged) }
        }
        try bobGroup.apply(renewal)

        var disk: [GroupRecordKey: SecretBytes] = [:]
        let epochState = aliceGroup.epochState
        for record in aliceGroup.records { disk[record.key] = record.content }
        let last = try aliceGroup.encrypt(Array("still here".utf8), in: environment)
        for record in aliceGroup.takeChangedRecords() { disk[record.key] = record.content }

        let restored = try Group(
            restoring: epochState, records: disk.map { GroupRecord(key: $0.key, content: $0.value) })

        #expect(restored.epochAuthenticator == bobGroup.epochAuthenticator)
        guard case .application(let received) = try bobGroup.process(last, in: environment) else {
            Issue.record("no application message")
            return
        }
        #expect(received.data == Array("still here".utf8))
    }

    @Test("every line of the article is in this file")
    func articleIsCompiled() throws {
        let here = URL(fileURLWithPath: #filePath)
        let article = try String(
            contentsOf: here.appending(path: "../../../Sources/MLS/MLS.docc/TwoMembersTalking.md").standardized,
            encoding: .utf8)
        let code = try Set(
            String(contentsOf: here, encoding: .utf8).split(separator: "\n")
                .map { $0.trimmingCharacters(in: .whitespaces) })
        var isCode = false
        for line in article.split(separator: "\n") {
            if line.hasPrefix("```") {
                isCode = line == "```swift"
            } else if isCode {
                let trimmed = line.trimmingCharacters(in: .whitespaces)
                #expect(trimmed.isEmpty || code.contains(trimmed), "not compiled: \(trimmed)")
            }
        }
    }
}
