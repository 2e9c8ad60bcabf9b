import ClassicSession
import Foundation
import KithClient
import KithSupport
import KithWire
import RelayTestSupport
import Testing

extension RelayProcesses {
    @Suite("Canaries")
    struct CanaryTests {
        @Test("secrets and plaintexts pushed through at trace level appear in no log, no metric, no error and no file")
        func canaries() async throws {
            let folder = try RelayFolder()
            let secrets = try Canaries()
            let passFile = folder.url.deletingLastPathComponent().appending(path: "kith-pass-\(UUID().uuidString)")
            try secrets.pass.write(to: passFile, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: passFile) }
            let arguments = ["--relay-pass-file", passFile.path, "--log-level", "trace"]

            var relay = try await RelayProcess.start(in: folder, arguments: arguments)
            var said = try await chat(relay, secrets)
            said += try await provoke(relay, secrets)
            let pages = Array(
                try await (relay.page("/metrics") + relay.page("/healthz") + relay.page("/\(secrets.path)")).utf8)
            // While the relay runs, with its log beside the database; after a kill; after a start and a clean end.
            for moment in ["running", "killed", "stopped"] {
                if moment == "killed" { try await relay.kill9() }
                if moment == "stopped" {
                    relay = try await RelayProcess.start(in: folder, arguments: arguments)
                    said += try await provoke(relay, secrets)
                    #expect(try await relay.stop() == .exited(0))
                }
                for (name, bytes) in try folder.contents() {
                    let isStore = name.hasPrefix("data/")
                    for canary in secrets.all where !(isStore && canary.mayBeStored) {
                        #expect(!canary.occurs(in: bytes), "\(canary.what) in \(name), \(moment)")
                    }
                }
            }
            for canary in secrets.all where !canary.mayBeSaid {
                #expect(!canary.occurs(in: pages), "\(canary.what) in a page")
                #expect(!canary.occurs(in: said), "\(canary.what) in what the relay said")
            }
            let store = try folder.contents().filter { $0.name.hasPrefix("data/relay.sqlite") }.flatMap(\.bytes)
            // A check of the search itself: the channel's id is in the database by design.
            #expect(try #require(secrets.all.first { $0.what == "a channel id" }).occurs(in: store))
            #expect(!folder.errorText.contains("127.0.0.1"), "a network address in the log")
        }

        /// Lets two people chat through the relay. Returns none of their messages.
        private func chat(_ relay: RelayProcess, _ secrets: Canaries) async throws -> [UInt8] {
            let pass = RelayPass(secrets.pass)
            let channel = secrets.channel
            let connection = try await relay.connect(pass: pass)
            try await connection.open(channel)
            let (alice, bob) = (try ClassicID("canary-alice-4711"), try ClassicID("canary-bob-4711"))
            var users = [
                try ClassicSession(me: alice, peer: bob, identity: .generate()),
                try ClassicSession(me: bob, peer: alice, identity: .generate()),
            ]
            var queues: [[[UInt8]]] = [[], []]
            func carryOut(_ outputs: [Output], of user: Int) async throws {
                for case .frame(let bytes) in outputs {
                    try await connection.append(bytes, to: channel)
                    queues[1 - user].append(bytes)
                }
            }
            for user in 0..<2 { try await carryOut(users[user].start(), of: user) }
            while queues.contains(where: { !$0.isEmpty }) {
                for user in 0..<2 {
                    let frames = queues[user]
                    queues[user] = []
                    for frame in frames { try await carryOut(users[user].receive(frame[...]), of: user) }
                }
            }
            try #require(users[0].isOpen && users[1].isOpen)
            try await carryOut(try users[0].send(secrets.plaintext), of: 0)
            guard case .event(.message(_, let text)) = users[1].receive(queues[1][0][...]).last else {
                Issue.record("the message did not arrive")
                return []
            }
            #expect(text == secrets.plaintext)
            _ = try await connection.request(
                .whisper(channel: channel.id, epoch: 0, payload: Array(secrets.whisper.utf8)[...]))
            _ = try await connection.accepted(
                .turn(channel: channel.id, epoch: 0, id: .random(), payload: [1], nextAccess: channel.next().access))
            await connection.close()
            return []
        }

        /// Causes every kind of refusal, with secrets in the faulty fields. Returns all answers of the relay.
        private func provoke(_ relay: RelayProcess, _ secrets: Canaries) async throws -> [UInt8] {
            var said: [UInt8] = []
            let stranger = try await WireClient.open(to: relay.address, hello: false)
            stranger.send([
                ClientFrame(requestID: 1, request: .hello(versions: [1], relayPass: RelayPass(secrets.wrongPass)))
            ])
            said += try await stranger.nextFrameBytes()
            let channel = secrets.channel
            let payload = Array(secrets.plaintext.utf8)[...]
            let requests: [Request] = [
                .present(channel: channel.id, epoch: 0, tokens: [secrets.wrongToken]),
                .present(channel: channel.id, epoch: 0, tokens: channel.tokens),
                .append(channel: channel.id, epoch: 0, id: secrets.entryID, payload: payload),
                .append(channel: channel.id, epoch: 1, id: secrets.entryID, payload: payload),
                .turn(channel: channel.id, epoch: 9, id: secrets.entryID, payload: payload, nextAccess: channel.access),
                .create(channel: channel.id, access: KnownChannel().access, retentionSeconds: nil),
                .lookup(name: secrets.name),
            ]
            let wire = try await WireClient.open(to: relay.address, pass: RelayPass(secrets.pass))
            for request in requests {
                wire.send([ClientFrame(requestID: 1, request: request)])
                said += try await wire.nextFrameBytes()
            }
            // Invalid frames, an invalid upgrade, and noise instead of TLS.
            wire.send([0x82, 0xff] + Array(secrets.plaintext.utf8))
            let garbage = try await WireClient.open(to: relay.address, pass: RelayPass(secrets.pass))
            var writer = WebSocketWriter()
            writer.write(Raw(bytes: [99] + Array(secrets.plaintext.utf8)), mask: 1)
            garbage.send(writer.bytes)
            said += try await garbage.nextFrameBytes()
            let front = try await WireClient.connect(to: relay.address)
            front.send(
                Array("POST /\(secrets.path) HTTP/1.1\r\nHost: \(secrets.plaintext)\r\nX: \(secrets.pass)\r\n\r\n".utf8)
            )
            said += try await front.everything()
            let plain = try await WireClient.connect(to: relay.address, .tcp)
            plain.send(Array("GET /\(secrets.path) \(secrets.plaintext)\r\n\r\n".utf8))
            said += try await plain.everything()
            return said
        }
    }
}

/// Secrets that are recognised wherever they appear.
private struct Canaries {
    struct Canary {
        let what: String
        let bytes: [UInt8]
        /// The relay needs this value on disk.
        var mayBeStored = false
        /// The relay tells this value to clients with a right to know it.
        var mayBeSaid = false

        /// Whether the data contains the secret in plain, in hexadecimal, or in base64 at any offset.
        func occurs(in text: [UInt8]) -> Bool { forms.contains { contains(text, $0) } }

        private var forms: [[UInt8]] {
            let hex = Hex.encode(bytes)
            let base64 = (0..<3).map { shift in
                // Digits that also encode neighbouring bytes are cut off at both ends.
                let encoded = Data([UInt8](repeating: 0, count: shift) + bytes).base64EncodedString()
                return String(encoded.dropFirst(shift == 0 ? 0 : 4).dropLast(4))
            }
            return [bytes, Array(hex.utf8), Array(hex.uppercased().utf8)] + base64.map { Array($0.utf8) }
        }

        private func contains(_ text: [UInt8], _ wanted: [UInt8]) -> Bool {
            Data(text).range(of: Data(wanted)) != nil
        }
    }

    let pass = "canary-pass-7f3a91"
    let wrongPass = "canary-wrong-pass-0c55"
    let plaintext = "canary-plaintext-we-meet-at-noon"
    let whisper = "canary-whisper-is-typing"
    let path = "canary-path-8812"
    let name: Name
    let wrongToken = Token(Array("canary-token-wrong-0123456789abc".utf8)) ?? .random()
    let entryID = EntryID(Array("canary-entry-id!".utf8)) ?? .random()
    let channel: KnownChannel

    init() throws {
        name = try #require(Name("canary-name-1234"))
        var channel = KnownChannel()
        channel.id = ChannelID(Array("canary-channel-id-0123456789abcd".utf8)) ?? channel.id
        channel.read = Token(Array("canary-token-read--0123456789abc".utf8)) ?? channel.read
        channel.append = Token(Array("canary-token-append0123456789abc".utf8)) ?? channel.append
        channel.turn = Token(Array("canary-token-turn--0123456789abc".utf8)) ?? channel.turn
        self.channel = channel
    }

    var all: [Canary] {
        func text(_ what: String, _ text: String) -> Canary { Canary(what: what, bytes: Array(text.utf8)) }
        let tokens = (channel.tokens + [wrongToken]).map { token in
            Canary(what: "a token", bytes: token.withUnsafeBytes { Array($0) })
        }
        return tokens + [
            text("the pass", pass), text("a wrong pass", wrongPass), text("a plaintext", plaintext),
            text("a whisper", whisper), text("a path", path), text("a name", name.text),
            Canary(what: "a channel id", bytes: channel.id.bytes, mayBeStored: true),
            Canary(what: "an entry id", bytes: entryID.bytes),
            // The classic session's offers name their sender. They are payloads, which the relay keeps.
            Canary(what: "a user's id", bytes: Array("canary-alice-4711".utf8), mayBeStored: true),
        ]
    }
}
