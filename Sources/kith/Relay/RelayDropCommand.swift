import ArgumentParser
import Foundation
import KithRelay
import KithSupport
import KithWire
import NIOPosix

/// `kith relay drop`: deletes a channel or a name from a relay's store.
struct RelayDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Close a channel of a relay, or delete a name, for example an abandoned one.",
        discussion: """
            Stop the relay first. A dropped channel is closed as if a member had closed it: its entries and key packages \
            are deleted, and its members learn that it is gone. This can't be undone.

            Name a channel by its id or by at least 8 of its first digits; `kith relay audit` prints 8.

            EXAMPLES
              kith relay drop --channel 1f0c27ab             the channel that begins so
              kith relay drop --name alice --data /srv/kith  the name is free again

            EXIT CODES
              0  dropped
              1  not found, or the store is in use or can't be read
              64  wrong usage
            """)

    @OptionGroup var store: RelayStoreOptions

    @Option(name: .long, help: "The id of a channel in hexadecimal, or its first digits.")
    var channel: String?

    @Option(name: .long, help: "A name.")
    var name: String?

    func validate() throws {
        guard (channel == nil) != (name == nil) else { throw ValidationError("Give --channel or --name.") }
        if let channel, channelPrefix(channel) == nil {
            throw ValidationError("--channel takes 8 to 64 hexadecimal digits, an even number of them.")
        }
        if let name, Name(name) == nil {
            throw ValidationError("--name takes up to 64 of the characters a-z, 0-9, '.', '_' and '-'.")
        }
    }

    private func channelPrefix(_ text: String) -> [UInt8]? {
        guard (8...64).contains(text.utf8.count) else { return nil }
        return Hex.decode(text)
    }

    func run() async throws {
        try await reportingFailure {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let store: SQLiteStore
            do {
                store = try SQLiteStore(existingIn: self.store.folder.path, eventLoop: group.any())
            } catch StoreOpenError.inUse(let folder) {
                try? await group.shutdownGracefully()
                throw Failure(message: "\(folder) is in use; stop the relay first")
            } catch {
                try? await group.shutdownGracefully()
                throw error
            }
            do {
                StandardStream.output.write(try await drop(from: store) + "\n")
            } catch {
                await store.close()
                try? await group.shutdownGracefully()
                throw error
            }
            await store.close()
            try? await group.shutdownGracefully()
        }
    }

    /// Deletes the data. Returns a sentence about the result.
    private func drop(from store: SQLiteStore) async throws -> String {
        if let name = name.flatMap({ Name($0) }) {
            guard try await store.drop(name) else { throw Failure(message: "there is no name \(name.text) here") }
            return "deleted the name \(name.text)"
        }
        let prefix = channel.flatMap { channelPrefix($0) } ?? []
        let found = try await store.channels(beginningWith: prefix)
        guard let id = found.first else { throw Failure(message: "there is no channel with this id here") }
        guard found.count == 1 else {
            throw Failure(message: "several channels have this beginning; give more digits")
        }
        guard try await store.drop(id) else { throw Failure(message: "the channel was closed already") }
        return "closed the channel, and deleted its contents"
    }
}
