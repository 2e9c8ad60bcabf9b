import TLSCodec

@testable import ClassicSession

/// Frames come to a session in each of its states: genuine ones that were changed or replayed, and made-up ones. A refused
/// frame changes nothing, and only the other user's own bytes have an effect.
func fuzzClassic(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let recording = Recording.one
    var session = recording.sessions[Int(input.byte()) % recording.sessions.count]
    for _ in 0..<4 where !input.rest.isEmpty {
        let frame = nextFrame(&input, recording)
        let before = Snapshot(session)
        let outputs = session.receive(frame[...])
        check(outputs, of: frame, before, Snapshot(session), recording)
    }
}

/// The first byte picks a recorded frame to change, or says that the frame is taken from the input unchanged.
private func nextFrame(_ input: inout FuzzInput, _ recording: Recording) -> [UInt8] {
    let choice = Int(input.byte())
    guard choice < recording.frames.count else { return Array(input.bytes(Int(input.byte()))) }
    var frame = recording.frames[choice]
    for _ in 0..<(input.byte() & 7) {
        let operation = input.byte()
        let place = Int(input.byte()) << 8 | Int(input.byte())
        guard !frame.isEmpty else { break }
        switch operation & 3 {
        case 0: frame[place % frame.count] ^= input.byte() | 1
        case 1: frame.removeLast(place % frame.count)
        case 2: frame += input.bytes(Int(operation >> 2))
        default: frame[place % min(frame.count, 40)] = input.byte()
        }
    }
    return frame
}

private func check(
    _ outputs: [Output], of frame: [UInt8], _ before: Snapshot, _ after: Snapshot, _ recording: Recording
) {
    for case .event(let event) in outputs {
        switch event {
        case .dropped(.altered):
            expect(outputs.count == 1, "a refused frame does something beside")
            expect(before.withoutInbound == after.withoutInbound, "an altered message changes more than what is noted")
            expect(before.inbound?.next == after.inbound?.next, "an altered message moves the window")
        case .dropped, .refusedKey:
            expect(outputs.count == 1, "a refused frame does something beside")
            expect(before == after, "a refused frame changes the session")
        case .message, .established, .ended:
            expect(recording.frames.contains(frame), "a made-up frame gets through")
        default:
            break
        }
    }
    if before.phase == 2, after.phase == 3 { expect(recording.frames.contains(frame), "a made-up proof gets through") }
    if let parsed = try? Frame(decoding: frame) { expect(parsed.encoded == frame, "a frame is not canonical") }
}

/// The mutable parts of a session.
private struct Snapshot: Equatable {
    var phase = 0
    var rememberedRuns: Set<RunID>
    var peerRun: RunID?
    var transcript: Transcript?
    var keys: [DirectionKeys] = []
    var wrappedByMe: [UInt8] = []
    var nextToSend: UInt64 = 0
    var inbound: Inbound?

    init(_ session: ClassicSession) {
        rememberedRuns = session.rememberedRuns
        peerRun = session.state.peerRun
        switch session.state {
        case .idle: phase = 0
        case .waiting: phase = 1
        case .proving(let proving):
            phase = 2
            transcript = proving.peer.transcript
        case .wrapping(let wrapping):
            phase = 3
            transcript = wrapping.peer.transcript
            keys = [wrapping.receiveKeys]
            wrappedByMe = wrapping.wrappedByMe
        case .open(let open):
            phase = 4
            keys = [open.sendKeys, open.receiveKeys]
            nextToSend = open.nextToSend
            inbound = open.inbound
        case .ended: phase = 5
        }
    }

    var withoutInbound: Snapshot {
        var copy = self
        copy.inbound = nil
        return copy
    }
}

/// One recorded conversation: all its frames, and one user's session at each stage.
private struct Recording: Sendable {
    /// Alice's session before it started, and after each input.
    var sessions: [ClassicSession] = []
    /// All frames sent, by both users. The last ones are of another conversation of the same two.
    var frames: [[UInt8]] = []

    static let one: Recording = {
        do { return try Recording() } catch { fatalError("no recording: \(error)") }
    }()

    private init() throws {
        let (alice, bob) = (try ClassicIdentity.generate(), try ClassicIdentity.generate())
        for isKept in [true, false] {
            var first = try ClassicSession(me: try ClassicID("alice"), peer: try ClassicID("bob"), identity: alice)
            var second = try ClassicSession(me: try ClassicID("bob"), peer: try ClassicID("alice"), identity: bob)
            var toFirst: [[UInt8]] = []
            var toSecond: [[UInt8]] = []
            func keep(_ session: ClassicSession) { if isKept { sessions.append(session) } }
            func frames(in outputs: [Output]) -> [[UInt8]] {
                outputs.compactMap { if case .frame(let bytes) = $0 { bytes } else { nil } }
            }
            keep(first)
            toSecond += frames(in: first.start())
            keep(first)
            toFirst += frames(in: second.start())
            while !toFirst.isEmpty || !toSecond.isEmpty {
                self.frames += toFirst + toSecond
                let (forFirst, forSecond) = (toFirst, toSecond)
                (toFirst, toSecond) = ([], [])
                for frame in forFirst {
                    toSecond += frames(in: first.receive(frame[...]))
                    keep(first)
                }
                for frame in forSecond { toFirst += frames(in: second.receive(frame[...])) }
            }
            expect(first.isOpen && second.isOpen, "the recorded session is not open")
            for text in ["one", "two", String(repeating: "three ", count: 50)] {
                self.frames += frames(in: try second.send(text)) + frames(in: try first.send(text))
            }
            self.frames += frames(in: second.bye())
            keep(first)
            _ = first.connectionLost()
            keep(first)
        }
    }
}
