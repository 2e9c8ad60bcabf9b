import Foundation
import KithClient
import KithRelay
import KithWire
import NIOPosix
import TestSupport

/// Measures whole conversations. The clients and the relay store their data on the disk, and are connected by TLS. All of them
/// run in this process.
struct ConversationBenchmark {
    let people: Int
    let messages: Int
    let rounds: Int
    let workshop: Workshop
    let report: Report

    func run(_ parts: [ClientBenchmark.Part]) async throws {
        let server = try await startRelay()
        guard let address = RelayAddress(host: server.host, port: server.port) else { return }
        let relay = RelayPoint(address: address, pin: server.pin)
        do {
            if parts.contains(.talk) || parts.contains(.catchUp) { try await talk(relay, parts) }
            if parts.contains(.group) { try await group(relay) }
        } catch {
            await server.shutDown()
            throw error
        }
        await server.shutDown()
    }

    private func startRelay() async throws -> RelayServer {
        var configuration = RelayConfiguration()
        // The limits protect a relay from strangers. Here, all clients connect from one address and send without a pause.
        configuration.limits.requestsPerSecond = 1_000_000
        configuration.limits.requestBurst = 1_000_000
        configuration.limits.addressRequestsPerSecond = 10_000_000
        configuration.limits.addressRequestBurst = 10_000_000
        configuration.limits.connectionsPerAddress = people + 10
        let folder = workshop.folder("relay")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // The key is made before the store, because no new key is made beside a store that has no key.
        let identity = try RelayIdentity.kept(in: folder)
        let store = try SQLiteStore(
            folder: folder.path, eventLoop: MultiThreadedEventLoopGroup(numberOfThreads: 1).next())
        return try await RelayServer.start(configuration, identity: identity, store: store)
    }

    private func person(_ name: String) async throws -> Profile {
        try await Profile.create(
            in: workshop.folder(name), name: name, deviceName: "benchmark", secret: .keyFile)
    }

    /// Makes two people contacts. Returns the id of their conversation on each side.
    private func meet(
        _ host: Profile, _ guest: Profile, _ invite: Invite
    ) async throws -> (host: ConversationID, guest: ConversationID) {
        let known = Set(try await host.conversations().map(\.id))
        let atGuest = try await guest.join(invite)
        while true {
            if let new = try await host.conversations().first(where: { !known.contains($0.id) }) {
                return (new.id, atGuest)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    // MARK: Two people

    private func talk(_ relay: RelayPoint, _ parts: [ClientBenchmark.Part]) async throws {
        let alice = try await person("alice")
        var bob = try await person("bob")
        let invite = try await alice.createInvite(at: relay).invite
        let (atAlice, atBob) = try await meet(alice, bob, invite)
        try await say("warm", 20, from: alice, in: atAlice, to: bob)
        if parts.contains(.talk) {
            var floor = Durations()
            var spoken = Durations()
            // The floor and the messages take turns, so that other work of the disk affects both alike.
            for round in 0..<10 {
                try measureFloor(rounds / 10, into: &floor)
                let times = try await say("round \(round)", rounds / 10, from: alice, in: atAlice, to: bob)
                for time in times { spoken.add(time) }
            }
            let three = 3 * floor.milliseconds(at: 0.5)
            let p50 = spoken.milliseconds(at: 0.5)
            report.add("floor: three times 4 KiB appended and fdatasync, p50", three, "ms")
            report.add("send() to stored and shown at the other side, p50", p50, "ms")
            report.add("send() to stored and shown at the other side, p99", spoken.milliseconds(at: 0.99), "ms")
            report.add("send() to shown : floor, p50", p50 / three, "", .atMost(4))
        }
        if parts.contains(.catchUp) {
            await bob.close()
            for number in 0..<messages { _ = try await alice.send("message \(number)", to: atAlice) }
            try await eventually("everything is sent", within: .seconds(3_600)) {
                try await alice.history(of: atAlice, limit: 1).last?.delivery != .queued
            }
            let last = try await alice.conversation(atAlice).lastSeq
            let start = ContinuousClock.now
            bob = try await Profile.open(in: workshop.folder("bob"), secret: .keyFile)
            while try await bob.conversation(atBob).lastSeq < last { try await Task.sleep(for: .milliseconds(5)) }
            let seconds = (ContinuousClock.now - start).seconds
            report.add(
                "catching up, messages stored a second", Double(messages) / seconds, "/s", .atLeast(5_000),
                note: "\(messages.formatted()) messages, opening and connecting included")
        }
        await alice.close()
        await bob.close()
    }

    /// Sends messages one at a time, each after the other side has shown the previous message. Returns the time that each
    /// message took.
    @discardableResult
    private func say(
        _ words: String, _ count: Int, from: Profile, in conversation: ConversationID, to: Profile
    ) async throws -> [Duration] {
        var times: [Duration] = []
        var events = await to.events().makeAsyncIterator()
        for number in 0..<count {
            let text = "\(words), \(number)"
            let start = ContinuousClock.now
            _ = try await from.send(text, to: conversation)
            while let event = await events.next() {
                if case .message(let message) = event, message.body == .text(text) { break }
            }
            times.append(ContinuousClock.now - start)
        }
        return times
    }

    private func measureFloor(_ count: Int, into floor: inout Durations) throws {
        let descriptor = open(workshop.folder("talk-floor").path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 1, count: 4096)
        for _ in 0..<count {
            floor.measure {
                write(descriptor, page, page.count)
                fdatasync(descriptor)
            }
        }
    }

    // MARK: Many people

    private func group(_ relay: RelayPoint) async throws {
        let host = try await person("host")
        var others: [Profile] = []
        for number in 1..<people {
            let guest = try await person("guest \(number)")
            // The guests join one at a time, because a relay gives out the key packages of one inbox slowly.
            _ = try await guest.join(try await host.createInvite(at: relay).invite)
            others.append(guest)
        }
        while await host.contacts().count(where: { $0.inbox != nil }) < people - 1 {
            try await Task.sleep(for: .milliseconds(20))
        }
        let members = await host.contacts().map(\.id)
        let start = ContinuousClock.now
        _ = try await host.createGroup("everybody", at: relay, members: members)
        let made = ContinuousClock.now - start
        for guest in others {
            while try await !guest.conversations().contains(where: { $0.name == "everybody" && $0.lastSeq > 0 }) {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        let joined = ContinuousClock.now - start
        report.add("a group of \(people) created, every Welcome at the relay", made.seconds, "s")
        report.add("a group of \(people) created and everyone has joined", joined.seconds, "s", .atMost(5))
        await host.close()
        for guest in others { await guest.close() }
    }
}
