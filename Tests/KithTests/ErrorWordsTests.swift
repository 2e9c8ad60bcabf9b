import Foundation
import KithRelay
import NIOCore
import NIOPosix
import RelayTestSupport
import Testing

@testable import KithClient
@testable import KithCore
@testable import kith

@Suite("Error messages")
struct ErrorWordsTests {

    @Test("errors of the system, Foundation and libraries are put into Kith's words")
    func foreign() {
        let posix = NSError(domain: NSPOSIXErrorDomain, code: Int(ENOSPC))
        let cocoa = NSError(domain: NSCocoaErrorDomain, code: 513, userInfo: [NSFilePathErrorKey: "/srv/kith"])
        let wrapped = NSError(domain: NSCocoaErrorDomain, code: 1, userInfo: [NSUnderlyingErrorKey: posix])
        #expect(ErrorWords.sentence(for: posix) == "there is no room on the disk")
        #expect(ErrorWords.sentence(for: wrapped) == "there is no room on the disk")
        #expect(ErrorWords.sentence(for: cocoa) == "/srv/kith: this user has no permission for it")
        #expect(
            ErrorWords.sentence(for: IOError(errnoCode: EADDRINUSE, reason: "bind"))
                == "another program listens there already")
        let own = ErrorWords.sentence(for: KithError.suspect)
        #expect(own == KithError.suspect.description)
    }

    @Test("an error nested in another module's type is put into Kith's words")
    func nested() {
        #expect(
            ErrorWords.sentence(for: RelayListenError.cannotListen(on: "127.0.0.1:7443", errno: EADDRINUSE))
                == "cannot listen on 127.0.0.1:7443: another program listens there already")
        #expect(ErrorWords.sentence(for: StoreFailure.full) == "there is no room on the disk")
        #expect(ErrorWords.sentence(for: RelayIdentity.Failure.missingKey(path: "/k")).hasPrefix("/k is missing"))
    }

    @Test("an error about an address names the address")
    func listening() async throws {
        try await withRelay { relay in
            let ann = try await CommandPerson("Ann", in: relay.folder)
            let taken = "\(relay.address)"
            for (command, address, reason) in [
                (["relay", "run", "--memory"], taken, "another program listens there already"),
                (["relay", "run", "--memory"], "192.0.2.77:18020", "this machine does not have that address"),
                (["host", "--no-chat"], taken, "another program listens there already"),
            ] {
                let outcome = try await ann.run(command + ["--listen", address])
                #expect(outcome.code == 1)
                #expect(outcome.complaints == ["kith: cannot listen on \(address): \(reason)"])
            }
        }
    }

    @Test("an unknown library error names its kind only")
    func unknown() {
        struct Odd: Error {}
        #expect(ErrorWords.sentence(for: Odd()).contains("please report it"))
        #expect(
            ErrorWords.sentence(for: EncodingError.invalidValue(0, .init(codingPath: [], debugDescription: "raw")))
                .contains("please report it"))
    }

    @Test("the chat and the commands show the same local time")
    func clock() {
        for ms in [UInt64(0), 1_795_517_600_000, .max] {
            let time = LocalTime(ms: ms)
            #expect(Timestamp(ms: ms).local == time.text)
            #expect(ChatDay().short(ms).hasSuffix(time.clock))
            #expect(ChatDay().day(ms).contains(" \(time.day) "))
        }
    }

    @Test(
        "every form of TZ is understood",
        arguments: ["Asia/Tokyo", ":Asia/Tokyo", ":/usr/share/zoneinfo/Asia/Tokyo", "JST-9"])
    func zones(zone: String) async throws {
        try await withAnnAndBob { ann, bob, _ in
            #expect(try await bob.run("send", "Ann", "now").code == 0)
            let history = try await bob.run("history", "Ann", environment: ["TZ": zone]).lines.last
            let utc = try await bob.run("history", "Ann", environment: ["TZ": "UTC"]).lines.last
            func hour(_ line: String?) throws -> Int {
                let line = try #require(line)
                return try #require(Int(line.dropFirst(11).prefix(2)))
            }
            #expect(try hour(history) == (try hour(utc) + 9) % 24)
        }
    }
}
