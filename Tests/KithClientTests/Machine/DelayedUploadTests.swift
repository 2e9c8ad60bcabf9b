import KithWire
import MLS
import Testing

@testable import KithClient
@testable import KithCore

@Suite("Files that a relay takes later, or never")
struct DelayedUploadTests {
    private let played: PlayedConversation
    private let beginning: [Effect]

    init() throws {
        played = try PlayedConversation()
        let file = PreparedFile(
            label: FileLabel(name: "film.mp4", mediaType: ""),
            content: .source(
                .path("/a", FileStamp(size: 70_000, modifiedNs: 1, inode: 2), isCleaned: false), size: 70_000))
        beginning = try played.perform(.sendFiles(played.id, OutgoingFiles(caption: "", files: [file])))
    }

    private func tags(_ effects: [Effect]) -> [UInt64] {
        effects.compactMap { if case .request(_, let tag, .createBlob) = $0 { tag } else { nil } }
    }

    private func notices(_ effects: [Effect]) -> [FileNotice] {
        effects.compactMap { if case .event(.file(_, _, let notice)) = $0 { notice } else { nil } }
    }

    @Test("a used up day and a full relay are told once each, and the file is tried again by itself")
    func delayed() throws {
        let day = RelayError(.tooFast, "no", retryAfterMs: 3_600_000)
        var tag = try #require(tags(beginning).first)
        #expect(
            notices(try played.answer(tag, .failure(day)))
                == [.delayed(name: "film.mp4", .dayIsUsedUp(retryMs: 3_600_000))])
        #expect(tags(try played.wait(milliseconds: 3_599_999)).isEmpty)
        tag = try #require(tags(try played.wait(milliseconds: 1)).first)
        #expect(notices(try played.answer(tag, .failure(day))).isEmpty)
        tag = try #require(tags(try played.wait(milliseconds: 3_600_000)).first)
        #expect(
            notices(try played.answer(tag, .failure(RelayError(.full, "no"))))
                == [.delayed(name: "film.mp4", .relayIsFull(retryMs: ClientLimits.reservationPauseMs))])
        tag = try #require(tags(try played.wait(milliseconds: ClientLimits.reservationPauseMs)).first)
        let effects = try played.answer(tag, .success(.done))
        #expect(notices(effects).isEmpty)
        #expect(effects.contains { if case .transfer(.upload) = $0 { true } else { false } })
    }

    @Test("a file that is larger than the relay takes is given up before the upload, with the largest size")
    func tooLarge() throws {
        let tag = try #require(tags(beginning).first)
        let effects = try played.answer(tag, .failure(RelayError(.tooLarge, "no", detail: 10_000)))
        #expect(notices(effects) == [.notSent(name: "film.mp4", .tooLarge(limit: 9_846))])
        #expect(!effects.contains { if case .transfer(.upload) = $0 { true } else { false } })
        #expect(
            FileProblem.tooLarge(limit: 9_846).sentence
                == "the file is too large for this relay, which takes 9 KiB at most")
        #expect(
            FileProblem.tooLarge(limit: 4_000 << 20).sentence
                == "the file is too large for this relay, which takes 4000 MiB at most")
    }
}
