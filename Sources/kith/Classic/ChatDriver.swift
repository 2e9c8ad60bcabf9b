import ClassicSession
import Foundation

/// Brings together a conversation, what the user types, and the signals that end it.
struct ChatDriver {
    /// How a conversation ended, as far as the exit code is concerned.
    enum Ending: Sendable {
        case goodbye
        /// Somebody said goodbye, and not all that the user said was sent before.
        case incomplete
        case cut
        case leftBeforeItBegan
    }

    let chat: ClassicChat
    let screen: ClassicScreen

    func run() async throws -> Ending {
        do {
            let ending = try await firstEnding()
            return await tellUnsent() && ending == .goodbye ? .incomplete : ending
        } catch {
            _ = await tellUnsent()
            throw error
        }
    }

    /// Whether there is anything that was not sent; it is said.
    private func tellUnsent() async -> Bool {
        let unsent = await chat.unsent
        if unsent > 0 { screen.show(.unsent(unsent)) }
        return unsent > 0
    }

    private func firstEnding() async throws -> Ending {
        // Whatever comes first ends the program: the conversation's own end, or the user's leave. The others are not
        // waited for: reading standard input and connecting can't be interrupted.
        let (ends, end) = AsyncStream.makeStream(of: Result<Ending, any Error>.self)
        let tasks: [Task<Void, Never>] = [
            Task { _ = end.yield(await outcome()) },
            Task {
                guard await screen.screen.waitForLeave() else { return }
                end.yield(await left(.now))
            },
            Task {
                guard await chat.waitUntilOpen(), await sendLines() else { return }
                // A person who enters the end of the input leaves; a script has only said everything.
                end.yield(await left(screen.screen.hasTerminal ? .now : .saidEverything))
            },
        ]
        defer { for task in tasks { task.cancel() } }
        for await result in ends {
            do {
                return try result.get()
            } catch let error as WrongPeerKey {
                throw Failure(
                    message: "that is not the expected key of the other person. Expected \(error.expected), came "
                        + "\(error.presented). Either they have a new key, or somebody stands in between; ask them on the "
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
            // What became of it is known to whoever left.
            case .left: return await left(.saidEverything)
            case .cut: return .success(.cut)
            case .internalFailure: throw Failure(message: "the cryptographic library failed; this should never happen")
            }
        } catch {
            return .failure(error)
        }
    }

    /// Sends what the user types. Returns whether that is all there is to say, and not that nobody hears it any more.
    private func sendLines() async -> Bool {
        while let line = await screen.screen.nextLine() {
            do {
                try await chat.send(line)
                screen.show(.sent(line))
            } catch .tooLong(let limit) {
                screen.show(.notSent(.tooLong(limit: limit)))
            } catch {
                // The session is over; why, is told where that is known.
                return false
            }
        }
        return true
    }
}
