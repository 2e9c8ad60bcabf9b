import ArgumentParser
import ClassicSession
import Foundation
import KithClient
import KithWire

/// `kith classic`: lets two people who are online at the same time authenticate each other and chat.
struct ClassicCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classic",
        abstract: "Talk to one person who is online as well, as in the system Kith grew from.",
        discussion: """
            Both people give their own id and the other's, at the same relay. The program makes RSA keys, exchanges and \
            verifies them, wraps message keys, and encrypts and authenticates every message. It is for study and \
            demonstration: it has no forward secrecy, and everyday chat uses MLS.

            To be sure of the other person, compare keys over the phone, or keep your keys with --key and pin the \
            other's with --expect.

            On a terminal, type and press Enter. A line that you enter before the other person is there waits until you \
            have seen the key and press Enter again, or until the key that --expect pins is proved. Ctrl-D or ctrl-C \
            says goodbye. Without a terminal, the lines of standard input are sent once the other person is there, and \
            the end of the input says goodbye.

            EXAMPLES
              kith classic --relay relay.example.org:7443
              kith classic --relay 127.0.0.1:7443 --id alice --peer bob --explain
              echo "hello" | kith classic --relay 127.0.0.1:7443 --id alice --peer bob

            EXIT CODES
              0    you or the other person said goodbye
              1    error, or a line was not sent
              2    the connection was cut; the last messages may be missing
              3    a key is not the expected one: the relay's, or the other person's
              64   wrong usage
              130  you left before the other person was there
            """)

    @Option(
        name: .long, help: ArgumentHelp("The relay to meet on.", valueName: "host:port"), transform: RelayAddress.read)
    var relay: RelayAddress

    @Option(name: .long, help: "Your id. Default: asks for it.")
    var id: String?

    @Option(name: .long, help: "The id of the person to talk to. Default: asks for it.")
    var peer: String?

    @Option(name: .long, help: "Keep your RSA key in this file, which is made if it does not exist.")
    var key: String?

    @Option(name: .long, help: "Accept only this key, as the other person's program shows it.")
    var expect: String?

    @Option(
        name: .long, help: "The relay's key, as the relay prints it. Without it, the first contact is remembered.",
        transform: RelayPin.read)
    var pin: RelayPin?

    @Option(name: .long, help: "A file with the pass that the relay requires.")
    var relayPassFile: String?

    @Flag(name: .long, help: "Print each step, and the attack it prevents.")
    var explain = false

    @Flag(name: .long, help: "Print one JSON object a line.")
    var json = false

    @Option(
        name: .long, help: ArgumentHelp("Maximum time to reconnect after the connection breaks.", valueName: "seconds"))
    var reconnect = 30

    func validate() throws {
        if let id { try Self.check("--id", id) }
        if let peer { try Self.check("--peer", peer) }
        if let expect {
            do {
                _ = try Fingerprint(expect)
            } catch {
                throw ValidationError("--expect: \(error).")
            }
        }
        if !(0...86_400).contains(reconnect) { throw ValidationError("--reconnect takes 0 to 86400 seconds.") }
    }

    private static func check(_ option: String, _ text: String) throws {
        do {
            _ = try ClassicID(text)
        } catch {
            throw ValidationError("\(option): \(error).")
        }
    }

    func run() async throws {
        try await reportingFailure {
            // The signal is ignored, because `StandardStream` notices a closed pipe when it writes.
            signal(SIGPIPE, SIG_IGN)
            let lines = LineReader()
            let prompts = IDPrompts(lines: lines)
            let me = try await prompts.id(given: id, asking: "Enter your id:")
            let peer = try await prompts.id(
                given: peer, asking: "Enter the id of the person you want to talk to:", otherThan: me)
            let wording = ClassicWording(me: me, peer: peer, explains: explain)
            let screen = ClassicScreen(
                screen: ChatScreen(), wording: wording, json: json ? ClassicJSON(peer: peer, explains: explain) : nil)
            let known = try KnownRelays.ofThisUser()
            screen.open(reading: lines)
            defer { screen.screen.close() }

            let identity = try key.map { try KeyFile(path: $0).identity() } ?? ClassicIdentity.generate()
            let contact = RelayContact(
                address: relay, pin: pin, pass: try relayPassFile.map(RelayPass.init(file:)), known: known)
            let expected = try expect.map { try Fingerprint($0) }
            let chat = try ClassicChat(
                session: { try ClassicSession(me: me, peer: peer, identity: identity, expected: expected) },
                giveUpAfter: .seconds(reconnect),
                connect: {
                    let (connection, isFirstContact) = try await contact.connect()
                    screen.show(.connected(contact.address, connection.pin, isFirstContact: isFirstContact))
                    return connection
                },
                report: { screen.show($0) })
            let ending = try await ClassicDriver(chat: chat, screen: screen).run()
            screen.screen.close()
            try Self.exit(after: ending)
        }
    }

    private static func exit(after ending: ClassicDriver.Ending) throws {
        switch ending {
        case .goodbye: return
        case .incomplete: throw ExitCode.failure
        case .cut: throw ExitCode.cut
        case .leftBeforeItBegan: throw ExitCode.interrupted
        }
    }
}
