import AsyncAlgorithms
import ClassicSession
import Foundation
import KithClient
import Synchronization

/// Connects a conversation to the user's lines, and to the signals that end the conversation.
final class ClassicDriver: Sendable {
    /// The end of a conversation, which determines the exit code.
    enum Ending: Sendable {
        case goodbye
        /// One side said goodbye before all of the user's texts had been sent.
        case incomplete
        case cut
        case leftBeforeItBegan
    }

    private let chat: ClassicChat
    private let screen: ClassicScreen
    /// The lines that a person has typed. The lines of a script are sent at once and are not stored here.
    private let typed: Mutex<TypedLines>
    /// Number of a script's lines that are not valid UTF-8.
    private let notText = Atomic<Int>(0)

    init(chat: ClassicChat, screen: ClassicScreen) {
        self.chat = chat
        self.screen = screen
        typed = Mutex(TypedLines(peer: screen.wording.peer.name))
    }

    func run() async throws -> Ending {
        do {
            let ending = try await firstEnding()
            return await reportUnsent() && ending == .goodbye ? .incomplete : ending
        } catch {
            _ = await reportUnsent()
            throw error
        }
    }

    /// Shows the number of unsent texts. Returns whether any texts are unsent.
    private func reportUnsent() async -> Bool {
        let held = typed.withLock { $0.heldCount }
        let unsent = await chat.unsent + held + notText.load(ordering: .relaxed)
        if unsent > 0 { screen.show(.unsent(unsent)) }
        return unsent > 0
    }

    private func firstEnding() async throws -> Ending {
        // The first result decides: the conversation's own end, or the user's. The other tasks are cancelled, but not
        // awaited, because reading standard input and connecting cannot be interrupted.
        let ends = merge(
            Self.once { [self] in
                let outcome = await outcome()
                await screen.screen.finishLine()
                return outcome
            },
            Self.once { [self] in await screen.screen.waitForLeave() ? await left(.now) : nil },
            Self.once { [self] in
                // A person who ends the input wants to leave. A script that ends the input has nothing more to send, but what
                // it has sent must still arrive.
                if screen.screen.hasTerminal { return await sendTypedLines() ? await left(.now) : nil }
                guard await chat.waitUntilOpen() != nil, await sendLines() else { return nil }
                return await left(.saidEverything)
            })
        for await result in ends {
            do {
                return try result.get()
            } catch let error as WrongPeerKey {
                throw Failure(
                    message: "the other person's key is not the expected one. Expected: \(error.expected). Received: "
                        + "\(error.presented). They have a new key, or somebody stands in between; ask them over the "
                        + "phone",
                    code: .wrongKey)
            }
        }
        return .cut
    }

    /// Returns a sequence whose only element is the result of `body`. If the result is `nil`, the sequence is empty.
    private static func once<T: Sendable>(
        _ body: @escaping @Sendable () async -> T?
    ) -> AsyncCompactMapSequence<AsyncSyncSequence<[Void]>, T> {
        [()].async.compactMap { _ in await body() }
    }

    private func left(_ why: ClassicChat.Leaving) async -> Result<Ending, any Error> {
        do {
            return .success(try await chat.leave(why))
        } catch {
            return .failure(error)
        }
    }

    private func outcome() async -> Result<Ending, any Error> {
        do {
            switch try await chat.run() {
            case .goodbye: return .success(.goodbye)
            // The user already knows the reason.
            case .left: return await left(.saidEverything)
            case .cut: return .success(.cut)
            case .internalFailure: throw Failure(message: "the cryptographic library failed; this should never happen")
            }
        } catch {
            return .failure(error)
        }
    }

    // MARK: Lines

    /// Handles all lines that a person types. Returns `true` if the person leaves, and `false` if the session has ended.
    private func sendTypedLines() async -> Bool {
        // A line is read only when the previous input was handled.
        let lines = AsyncStream { [screen] in
            await screen.screen.nextLine().map { TypedLines.Input.line($0.text) } ?? .endOfInput
        }
        let opening = Self.once { [chat] in
            await chat.waitUntilOpen().map { TypedLines.Input.opened(hasExpectedKey: $0.wasExpected) }
        }
        for await input in merge(lines, opening) {
            for output in typed.withLock({ $0.handle(input) }) {
                switch output {
                case .send(let line): if await !send(line) { return false }
                case .show(let sentence): screen.say(sentence)
                case .status(let status): screen.screen.setStatus(status?.description)
                case .takeMore: screen.screen.takeMore()
                case .leave: return true
                }
            }
        }
        return false
    }

    /// Sends a script's lines. Returns `true` at the end of the input, and `false` if the session has ended.
    private func sendLines() async -> Bool {
        while let line = await screen.screen.nextLine() {
            if !line.isText {
                notText.add(1, ordering: .relaxed)
                screen.show(.notSent(.notText))
            } else if await !send(line.text) {
                return false
            }
        }
        return true
    }

    /// Sends a line. Returns `false`, and does not show a reason, if the session has ended.
    private func send(_ line: String) async -> Bool {
        do {
            try await chat.send(line)
            screen.show(.sent(line))
        } catch {
            switch error {
            case .tooLong, .notText: screen.show(.notSent(error))
            case .notEstablished, .ended, .wornOut, .internalFailure: return false
            }
        }
        return true
    }
}
