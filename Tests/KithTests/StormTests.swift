import Foundation
import KithSimulation
import TestSupport
import Testing

@testable import kith

/// Twenty people, each a process of `kith listen`, and a relay. All are killed again and again while everybody sends.
///
/// `KITH_STORM_SECONDS` sets the duration (default 20). `KITH_STORM_SEED` repeats a schedule, as far as processes can
/// be repeated.
@Suite("Storm")
struct StormTests {
    static let people = 20

    @Test(
        "after many kill -9 of 20 people and their relay, everybody has every text once and in one order",
        .timeLimit(.minutes(60)))
    func storm() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seconds = environment["KITH_STORM_SECONDS"].flatMap(Int.init) ?? 20
        let seed = environment["KITH_STORM_SEED"].flatMap(UInt64.init) ?? .random(in: 1...10_000)
        var random = SeededGenerator(seed: seed)
        print("storm: seed \(seed), \(seconds) s")
        try await withTemporaryFolder { folder in
            let relay = try await StormRelay(in: folder)
            let people = try await Self.meet(relay, folder)
            for person in people { try await person.listen() }

            var (kills, relayKills) = (0, 0)
            let end = ContinuousClock.now + .seconds(seconds)
            await withTaskGroup(of: Void.self) { senders in
                while ContinuousClock.now < end {
                    let person = people[Int.random(in: 0..<people.count, using: &random)]
                    switch Int.random(in: 0..<100, using: &random) {
                    case 0..<2:
                        relayKills += 1
                        await relay.kill()
                        // The relay is away for a random time. Nobody waits for its length.
                        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...2_000, using: &random)))
                        do { try await relay.start() } catch {
                            Issue.record("the relay does not start again: \(error)")
                        }
                    case 2..<10:
                        kills += 1
                        await person.end(by: SIGKILL)
                    case 10..<20: try? await person.listen()
                    case 20..<24:
                        let conversation = await person.conversation(isDirect: Bool.random(using: &random))
                        senders.addTask { await person.sendFromShell(to: conversation) }
                    default: await person.say(to: await person.conversation(isDirect: Bool.random(using: &random)))
                    }
                    // Only limits the load.
                    try? await Task.sleep(for: .milliseconds(Int.random(in: 0...150, using: &random)))
                }
            }
            for person in people { try await person.listen() }
            try await Self.settle(people)
            for person in people { await person.end(by: SIGTERM) }
            let texts = try await Self.judge(people)
            print("storm: \(texts) texts, \(kills) people and \(relayKills) times the relay killed")
            #expect(texts > people.count)
            #expect(kills > 0)
            await relay.kill()
        }
    }

    /// Everybody uses the first person's invite, and the first person makes a group of all.
    private static func meet(_ relay: StormRelay, _ folder: URL) async throws -> [StormPerson] {
        var people: [StormPerson] = []
        for number in 0..<Self.people { people.append(try await StormPerson(number, in: folder)) }
        let invite = try await people[0].home.run(
            "invite", "--relay", relay.address, "--pin", relay.pin, "--reusable")
        let line = try #require(invite.lines.first, "\(invite.complaints)")
        for person in people.dropFirst() {
            let joined = try await person.home.run("join", "--no-chat", line)
            try #require(joined.code == 0, "\(joined.complaints)")
        }
        for person in people { try await person.listen() }
        let names = people.dropFirst().map(\.name)
        // Their inbox addresses arrive with their first messages, after a while on a busy machine.
        var made: CommandPerson.Outcome?
        for attempt in 1...60 where made?.code != 0 {
            try await people[0].listen()
            // Time in which addresses may arrive. If they do not, the next attempt allows more.
            try await Task.sleep(for: .seconds(min(attempt, 5)))
            await people[0].end(by: SIGTERM)
            made = try await people[0].home.run(["group", "create", "storm"] + names)
        }
        try #require(made?.code == 0, "\(made?.complaints ?? [])")
        try await people[0].listen()
        for person in people {
            try await eventually("\(person.name) is in the group", within: .seconds(300)) {
                try await person.home.run("list", "--json").objects.contains { $0["name"] as? String == "storm" }
            }
        }
        return people
    }

    /// Waits until everybody has all accepted texts, including those that a process stored but could not report before
    /// it was killed.
    private static func settle(_ people: [StormPerson]) async throws {
        for person in people {
            try await eventually("\(person.name) has sent everything", within: .seconds(300)) {
                try await person.listen()
                return try await person.home.run("status", "--json").objects.first?["queued"] as? Int == 0
            }
        }
        var wanted: [String: Set<String>] = [:]
        for text in await Self.taken(people) { wanted[text.channel, default: []].insert(text.text) }
        for person in people {
            for conversation in await person.conversations {
                wanted[person.channel(of: conversation), default: []]
                    .formUnion(try await person.texts(in: conversation))
            }
        }
        for person in people {
            for conversation in await person.conversations {
                let all = wanted[person.channel(of: conversation)] ?? []
                try await eventually(
                    "\(person.name) has everything said in \(conversation)", within: .seconds(300)
                ) {
                    try await person.listen()
                    return all.isSubset(of: try await person.texts(in: conversation))
                }
            }
        }
    }

    private static func taken(_ people: [StormPerson]) async -> [StormText] {
        var all: [StormText] = []
        for person in people { all += await person.taken }
        return all
    }

    /// Checks the texts of all people, and returns their number.
    private static func judge(_ people: [StormPerson]) async throws -> Int {
        var count = 0
        var said = Set<String>()
        for person in people { said.formUnion(await person.offered.map(\.text)) }
        var order: [String: [String]] = [:]
        for person in people {
            for conversation in await person.conversations {
                let texts = try await person.texts(in: conversation)
                #expect(Set(texts).count == texts.count, "\(person.name) has a text twice in \(conversation)")
                #expect(said.isSuperset(of: texts), "\(person.name) has a text that nobody said in \(conversation)")
                let channel = person.channel(of: conversation)
                #expect(texts.allSatisfy { $0.hasSuffix(" \(channel)") }, "\(person.name) has a text of elsewhere")
                // Everybody has seen every text, so the order is equal up to the end.
                if let before = order[channel] {
                    #expect(texts == before, "\(person.name) has \(conversation) in another order")
                } else {
                    order[channel] = texts
                    count += texts.count
                }
            }
            #expect(await person.warnings == [], "\(person.name) was warned of an honest relay")
            let listed = try await person.home.run("list", "--json").objects
            #expect(listed.allSatisfy { $0["suspect"] as? Bool == false && $0["status"] as? String == "active" })
        }
        return count
    }
}

/// A text that was sent, or that was to be sent.
struct StormText: Hashable, Sendable {
    /// `AUTHOR.NUMBER CHANNEL`.
    let text: String
    /// `storm`, or the name of the other person in a conversation with the first one.
    let channel: String
}

/// A person, with the listening process if it runs.
actor StormPerson {
    nonisolated let number: Int
    nonisolated let home: CommandPerson
    nonisolated var name: String { "p\(number)" }
    private var process: KithProcess?
    private var said = 0
    /// Texts that were given to a process.
    private(set) var offered: Set<StormText> = []
    /// Texts that a process reported as stored or sent.
    private(set) var taken: [StormText] = []
    private(set) var warnings: [String] = []

    init(_ number: Int, in folder: URL) async throws {
        self.number = number
        home = try await CommandPerson("p\(number)", in: folder)
    }

    /// The conversations by this person's names: the group, and the conversations of two.
    var conversations: [String] {
        ["storm"] + (number == 0 ? (1..<StormTests.people).map { "p\($0)" } : ["p0"])
    }

    func conversation(isDirect: Bool) -> String {
        guard isDirect else { return "storm" }
        return number == 0 ? "p\(1 + said % (StormTests.people - 1))" : "p0"
    }

    nonisolated func channel(of conversation: String) -> String {
        conversation == "storm" ? "storm" : (number == 0 ? conversation : name)
    }

    private func next(to conversation: String) -> StormText {
        said += 1
        let channel = channel(of: conversation)
        let text = StormText(text: "\(number).\(said) \(channel)", channel: channel)
        offered.insert(text)
        return text
    }

    /// Starts the listening process, unless it runs.
    func listen() async throws {
        // A process that found the profile open in another one has ended by itself.
        if let process, process.isRunning { return }
        let process = try home.start(["listen", "--json", "--no-receipts", "--accept"])
        self.process = process
        Task { [weak self] in
            while let line = await process.line() { await self?.took(line) }
        }
    }

    private func took(_ line: String) {
        guard let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { return }
        switch event["event"] as? String {
        case "sent": if let text = offered.first(where: { $0.text == event["ref"] as? String }) { taken.append(text) }
        case "warning": warnings.append(line)
        default: break
        }
    }

    /// Sends a text through the listening process, if it runs.
    func say(to conversation: String) {
        guard let process else { return }
        let text = next(to: conversation)
        try? process.write(#"{"send":{"to":"\#(conversation)","text":"\#(text.text)"},"ref":"\#(text.text)"}"#)
    }

    /// Sends a text with a command of its own, while another process may have the profile open.
    func sendFromShell(to conversation: String) async {
        let text = next(to: conversation)
        guard let sent = try? await home.run("send", "--timeout", "20s", conversation, text.text) else { return }
        // 0: the relay has it. 4: it is kept and sent later.
        if sent.code == 0 || sent.code == 4 { taken.append(text) }
    }

    /// Ends the listening process, if it runs.
    func end(by signal: Int32) async {
        let process = self.process
        self.process = nil
        process?.signal(signal)
        _ = await process?.exitCode()
    }

    /// Returns the texts of a conversation, in order.
    nonisolated func texts(in conversation: String) async throws -> [String] {
        let history = try await home.run("history", conversation, "--json", "--limit", "1000000")
        try #require(history.code == 0, "\(history.complaints)")
        return history.objects.filter { $0["seq"] != nil }.compactMap { $0["text"] as? String }
    }
}

/// `kith relay` as a process, at the same address in all its lives.
actor StormRelay {
    nonisolated let address: String
    nonisolated let pin: String
    /// The folder of its store.
    nonisolated let data: URL
    private let folder: URL
    private let environment: [String: String]
    private let options: [String]
    private var process: KithProcess

    init(in folder: URL, environment: [String: String] = [:], options: [String] = []) async throws {
        self.folder = folder
        self.options = options
        self.environment = environment
        data = folder.appendingPathComponent("relay")
        let (process, listening) = try await Self.start(
            "127.0.0.1:0", data, folder, environment, options)
        self.process = process
        address = try #require(listening["address"] as? String)
        pin = try #require(listening["pin"] as? String)
    }

    private static func start(
        _ address: String, _ data: URL, _ folder: URL, _ environment: [String: String],
        _ options: [String]
    ) async throws -> (KithProcess, [String: Any]) {
        let process = try KithProcess(
            ["relay", "--listen", address, "--data", data.path, "--json"] + options, folder: folder,
            environment: environment)
        while let line = await process.line() {
            let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            if let event, event["event"] as? String == "listening" { return (process, event) }
        }
        throw CocoaError(.executableLoad)
    }

    func start() async throws { process = try await Self.start(address, data, folder, environment, options).0 }

    func kill() async {
        process.signal(SIGKILL)
        _ = await process.exitCode()
    }

    /// Returns the standard error of the last process.
    func complaints() async -> [String] { await process.complaintsLeft() }
}
