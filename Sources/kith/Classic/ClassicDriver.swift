import ClassicSession
import Foundation
import KithClient
import Synchronization

/// Connects a conversation to the user's lines, and to the signals that end it.
final class ClassicDriver: Sendable {
    /// The end of a conversation. It decides the exit code.
    enum Ending: Sendable {
        case goodbye
        /// One side said goodbye before all of the user's texts had been sent.
        case incomplete
        case cut
        case leftBeforeItBegan
    }

    private let chat: ClassicChat
    private let screen: ClassicScreen
    /// The lines of a person. A script's lines are sent at once.
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
            return await tellUnsent() && ending == .goodbye ? .incomplete : ending
        } catch {
            _ = await tellUnsent()
            throw error
        }
    }

    /// Shows the number of unsent texts. Returns whether there are any.
    private func tellUnsent() async -> Bool {
        let held = typed.withLock { $0.heldCount }
        let unsent = await chat.unsent + held + notText.load(ordering: .relaxed)
        if unsent > 0 { screen.show(.unsent(unsent)) }
        return unsent > 0
    }

    private func firstEnding() async throws -> Ending {
        // The first task to end decides: the conversation's own end, or the user's. The other tasks are not awaited, because
        // reading standard input and connecting cannot be interrupted.
        let (ends, end) = AsyncStream.makeStream(of: Result<Ending, any Error>.self)
        let tasks: [Task<Void, Never>] = [
            Task {
                let outcome = await outcome()
                await screen.screen.finishLine()
                end.yield(outcome)
            },
            Task {
                guard await screen.screen.waitForLeave() else { return }
                end.yield(await left(.now))
            },
            Task {
                // A person who ends the input wants to leave. A script that ends it has only sent everything.
                if screen.screen.hasTerminal {
                    if await sendTypedLines() { end.yield(await left(.now)) }
                } else if await chat.waitUntilOpen() != nil, await sendLines() {
                    end.yield(await left(.saidEverything))
                }
            },
        ]
        defer { for task in tasks { task.cancel() } }
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

    /// Handles a person's lines from the beginning. Returns `true` if the person leaves, `false` if the session has ended.
    private func sendTypedLines() async -> Bool {
        let (inputs, input) = AsyncStream.makeStream(of: TypedLines.Input.self)
        let (turns, nextLine) = AsyncStream.makeStream(of: Void.self)
        let tasks = [
            Task {
                for await _ in turns {
                    input.yield(await screen.screen.nextLine().map { .line($0.text) } ?? .endOfInput)
                }
            },
            Task {
                if let established = await chat.waitUntilOpen() {
                    input.yield(.opened(hasExpectedKey: established.wasExpected))
                }
            },
        ]
        defer { for task in tasks { task.cancel() } }
        nextLine.yield()
        for await input in inputs {
            for output in typed.withLock({ $0.handle(input) }) {
                switch output {
                case .send(let line): if await !send(line) { return false }
                case .show(let sentence): screen.say(sentence)
                case .status(let status): screen.screen.setStatus(status?.description)
                case .takeMore: screen.screen.takeMore()
                case .leave: return true
                }
            }
            if case .opened = input { continue }
            nextLine.yield()
        }
        return false
    }

    /// Sends a script's lines. Returns `true` at the end of the input, `false` if the session has ended.
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

    /// Sends a line. Returns `false` if the session has ended. The reason is shown elsewhere.
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
