import Foundation
import KithRelay
import KithWire
import NIOCore
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// Transfers that continue at every place where they may have stopped.
///
/// The profiles of these tests have no folder, so no job runs by itself. The tests play the part of the job that was killed.
@Suite(.timeLimit(.minutes(5))) struct ResumedTransferTests {
    private static let content = fileBytes(9_000_000)

    /// Runs `body` with a message of Alice that waits for its upload, whose blob is reserved.
    private static func withUpload(
        of content: [UInt8] = content, caption: String = "", beside others: [[UInt8]] = [],
        _ body: (_ alice: Person, _ bob: Person, _ upload: StoppedUpload) async throws -> Void
    ) async throws {
        try await withBlobRelay { server in
            try await withTemporaryFolder { folder in
                let alice = try await Person("alice")
                let bob = try await Person("bob")
                let invite = try await alice.profile.createInvite(at: server.point)
                _ = try await bob.profile.join(Invite(line: invite.invite.line))
                try await eventually({ try await alice.profile.conversations().map(\.name) }) { $0.contains("bob") }
                let url = folder.appending(path: "file.bin")
                try Data(content).write(to: url)
                let more = others.indices.map { folder.appending(path: "other \($0).bin") }
                for (url, content) in zip(more, others) { try Data(content).write(to: url) }
                try await alice.profile.files.send(
                    ([url] + more).map(FileToSend.file), caption: caption, to: try await alice.conversation("bob"))
                try await eventually({ await alice.profile.reservedUpload() != nil }) { $0 }
                let (job, read) = try #require(await alice.profile.reservedUpload())
                try await body(
                    alice, bob,
                    StoppedUpload(job: job, read: read, file: url, folder: folder, address: server.address))
                await alice.profile.close()
                await bob.profile.close()
            }
        }
    }

    private static var boundaries: [UInt64] {
        let piece = FileLayout.sealedPiece
        return [0, 1, piece - 1, piece, piece + 1, piece + 65_552, 2 * piece, 2 * piece + 17]
    }

    @Test("an upload continues at any number of bytes that the relay has", arguments: boundaries)
    func upload(stored: UInt64) async throws {
        try await Self.withUpload { alice, bob, upload in
            try await upload.sent(stored, of: Self.content, alice.profile)
            try await upload.run(alice.profile)
            #expect(try await upload.bytesAtRelay(of: Self.content))
            try await eventually({ try await bob.profile.files.list(in: try await bob.conversation("alice")).count }) {
                $0 == 1
            }
        }
    }

    @Test("a file that has changed is uploaded anew, with another key and another blob", arguments: [false, true])
    func changed(keepsTime: Bool) async throws {
        try await Self.withUpload { alice, bob, upload in
            try await upload.sent(FileLayout.sealedPiece + 100, of: Self.content, alice.profile)
            var changed = Self.content
            changed[5_000_000] ^= 1
            try upload.overwrite(changed, keepsTime: keepsTime)
            try await upload.run(alice.profile)
            try await eventually({ await alice.profile.reservedUpload()?.job.id ?? upload.job.id != upload.job.id }) {
                $0
            }
            let (second, read) = try #require(await alice.profile.reservedUpload())
            #expect(second.blob != upload.job.blob && second.key != upload.job.key && second.write != upload.job.write)
            let again = StoppedUpload(
                job: second, read: read, file: upload.file, folder: upload.folder, address: upload.address)
            try await again.run(alice.profile)
            #expect(try await again.bytesAtRelay(of: changed))
        }
    }

    @Test("a file that has vanished gives up its message")
    func vanished() async throws {
        try await Self.withUpload { alice, _, upload in
            let events = await alice.profile.events()
            try FileManager.default.removeItem(at: upload.file)
            try await upload.run(alice.profile)
            for await event in events {
                guard case .file(_, _, let notice) = event else { continue }
                #expect(notice == .notSent(name: "file.bin", .unreadable))
                break
            }
            #expect(await alice.profile.files.progress().isEmpty)
            #expect(await alice.profile.queuedMessages() == 0)
        }
    }

    @Test("the caption of a file that has vanished is sent as a text")
    func vanishedWithCaption() async throws {
        try await Self.withUpload(caption: "look at this") { alice, bob, upload in
            let events = await alice.profile.events()
            try FileManager.default.removeItem(at: upload.file)
            try await upload.run(alice.profile)
            for await event in events {
                guard case .file(_, _, let notice) = event else { continue }
                #expect(notice == .leftOut(name: "file.bin", .unreadable))
                break
            }
            #expect(await alice.profile.files.progress().isEmpty)
            let atBob = try await bob.conversation("alice")
            try await eventually({ try await bob.texts(atBob) }) { $0 == ["alice: look at this"] }
        }
    }

    @Test("the other files of a message are sent without the one that has vanished")
    func vanishedBesideOthers() async throws {
        let others = [fileBytes(100), fileBytes(60_000)]
        try await Self.withUpload(caption: "three", beside: others) { alice, bob, upload in
            try FileManager.default.removeItem(at: upload.file)
            try await upload.run(alice.profile)
            try await eventually({ await alice.profile.reservedUpload()?.job.id ?? upload.job.id != upload.job.id }) {
                $0
            }
            let (second, read) = try #require(await alice.profile.reservedUpload())
            let rest = StoppedUpload(
                job: second, read: read, file: upload.file, folder: upload.folder, address: upload.address)
            try await rest.run(alice.profile)
            #expect(try await rest.bytesAtRelay(of: others[1]))
            let atBob = try await bob.conversation("alice")
            try await eventually({ try await bob.profile.files.list(in: atBob).map(\.file.name) }) {
                $0 == ["other 0.bin", "other 1.bin"]
            }
            #expect(try await bob.profile.files.list(in: atBob).first?.message.files?.caption == "three")
        }
    }

    @Test("a relay that lost the blob gets a new one")
    func lost() async throws {
        try await Self.withUpload { alice, _, upload in
            try await BlobConnection.use(upload.address, trust: .pinned(upload.job.relay.pin)) {
                try await $0.delete(upload.job.blob, token: upload.job.write)
            }
            try await upload.run(alice.profile)
            let waiting = await alice.profile.files.progress()
            #expect(waiting.count == 1 && waiting[0].done == 0)
            #expect(await alice.profile.reservedUpload() == nil)
        }
    }

    @Test("a download continues after any number of pieces, and drops the bytes after the last mark", arguments: 0...2)
    func download(verified: UInt64) async throws {
        try await Self.withUpload { alice, bob, upload in
            try await upload.run(alice.profile)
            let job = try await Self.download(for: bob)
            let sealed = try upload.sealed(Self.content)
            let transfers = FileTransfers(folder: FilesFolder(ofProfile: upload.folder))
            let file = try transfers.folder.makeFile(job.id)
            for piece in 0..<verified {
                let range = job.reference.layout.sealedRange(ofPiece: piece)
                let bytes = Array(sealed[Int(range.lowerBound)..<Int(range.upperBound)])
                try file.write(bytes, at: range.lowerBound)
                let digest = FileCipher.digest(ofPiece: bytes)
                #expect(try await bob.profile.perform(.didVerify(piece, digest, of: job.id)) == .proceed)
            }
            try file.write([UInt8](repeating: 7, count: 100_000), at: verified * FileLayout.sealedPiece)
            try await FileDownload(job: job, address: upload.address, profile: bob.profile, transfers: transfers).run()
            #expect(try file.read(0..<job.reference.layout.sealedSize) == sealed)
            let listed = try await bob.profile.files.list(in: try await bob.conversation("alice"))
            #expect(listed.map(\.state) == [.onDevice])
        }
    }

    @Test("bytes that are not the file's are refused, and nothing of them is kept", arguments: LyingRelay.allCases)
    func lies(lie: LyingRelay) async throws {
        try await Self.withUpload { alice, bob, upload in
            try await upload.run(alice.profile)
            var job = try await Self.download(for: bob)
            job = DownloadJob(id: job.id, relay: job.relay, reference: lie.reference(to: job.reference))
            await bob.profile.replaceReference(of: job.id, with: job.reference)
            let events = await bob.profile.events()
            let transfers = FileTransfers(folder: FilesFolder(ofProfile: upload.folder))
            try await FileDownload(job: job, address: upload.address, profile: bob.profile, transfers: transfers).run()
            for await event in events {
                guard case .file(_, _, .notFetched(_, let problem)) = event else { continue }
                #expect(problem == lie.problem)
                break
            }
            #expect(await bob.profile.files.progress().isEmpty)
            let listed = try await bob.profile.files.list(in: try await bob.conversation("alice"))
            #expect(listed.map(\.state) == [.atRelay])
        }
    }

    @Test("a blob that the relay no longer has ends the download, and the user is told")
    func expired() async throws {
        try await Self.withUpload { alice, bob, upload in
            try await upload.run(alice.profile)
            let job = try await Self.download(for: bob)
            try await BlobConnection.use(upload.address, trust: .pinned(upload.job.relay.pin)) {
                try await $0.delete(upload.job.blob, token: upload.job.write)
            }
            let events = await bob.profile.events()
            let place = try #require(await bob.profile.place(of: job.id))
            #expect(
                try await bob.profile.files.requestedState(1, of: place.seq, in: place.conversation).state
                    == .downloading)
            let transfers = FileTransfers(folder: FilesFolder(ofProfile: upload.folder))
            try await FileDownload(job: job, address: upload.address, profile: bob.profile, transfers: transfers).run()
            for await event in events {
                guard case .file(_, _, .notFetched(_, let problem)) = event else { continue }
                #expect(problem == .gone)
                break
            }
            #expect(
                try await bob.profile.files.requestedState(1, of: place.seq, in: place.conversation).state == .atRelay)
        }
    }

    @Test(
        "an automatic download of a sender who is blocked ends, and a requested one goes on", arguments: [false, true])
    func blocked(isRequested: Bool) async throws {
        try await Self.withUpload { alice, bob, upload in
            try await bob.profile.files.setAutoDownload(upTo: 1 << 30)
            try await upload.run(alice.profile)
            try await eventually({ await bob.profile.files.progress().count }) { $0 == 1 }
            let sender = try #require(await bob.profile.contacts().first { $0.name == "alice" })
            #expect(await bob.profile.automaticDownloads(from: sender.id) == 1)
            if isRequested {
                let place = try #require(await bob.profile.anyDownload())
                Task { try await bob.profile.perform(.fetch(place)) }
                try await eventually({ await bob.profile.automaticDownloads(from: sender.id) }) { $0 == 0 }
            }
            try await bob.profile.setBlocked(sender.id, true)
            #expect(await bob.profile.files.progress().count == (isRequested ? 1 : 0))
        }
    }

    @Test("a blob that is not complete is tried again, and counts as gone after a day")
    func incomplete() async throws {
        try await Self.withUpload { alice, bob, upload in
            try await upload.run(alice.profile)
            let job = try await Self.download(for: bob)
            let place = try #require(await bob.profile.place(of: job.id))
            try await bob.profile.perform(.transferPaused(job.id, pauseMs: 60_000, isIncomplete: false))
            #expect(await bob.profile.place(of: job.id) == place)
            let events = await bob.profile.events()
            await bob.profile.ageDownload(job.id)
            try await bob.profile.perform(.transferPaused(job.id, pauseMs: 60_000, isIncomplete: true))
            for await event in events {
                guard case .file(_, _, .notFetched(_, let problem)) = event else { continue }
                #expect(problem == .gone)
                break
            }
            #expect(await bob.profile.files.progress().isEmpty)
        }
    }

    /// The download of the file that Bob has received.
    private static func download(for bob: Person) async throws -> DownloadJob {
        let conversation = try await bob.conversation("alice")
        let listed = try await eventuallyListed(bob, conversation)
        let place = FilePlace(conversation: conversation, seq: try #require(listed.message.seq), number: 1)
        Task { try await bob.profile.perform(.fetch(place)) }
        try await eventually({ await bob.profile.files.progress().count }) { $0 == 1 }
        return try #require(await bob.profile.download(of: place))
    }

    private static func eventuallyListed(_ bob: Person, _ conversation: ConversationID) async throws -> ListedFile {
        try await eventually({ try await bob.profile.files.list(in: conversation).count }) { $0 == 1 }
        return try #require(try await bob.profile.files.list(in: conversation).first)
    }
}

/// A relay, or a member, that shows other bytes than the sender has uploaded. A changed reference stands for the lie: what the
/// relay shows no longer fits it.
enum LyingRelay: CaseIterable {
    case otherKey, otherLength, otherRoot

    func reference(to blob: BlobReference) -> BlobReference {
        switch self {
        case .otherKey:
            BlobReference(
                blob: blob.blob, read: blob.read, key: .zero(count: 32), layout: blob.layout, root: blob.root)
        case .otherLength:
            BlobReference(
                blob: blob.blob, read: blob.read, key: blob.key, layout: FileLayout(size: blob.layout.padded + 1),
                root: blob.root)
        case .otherRoot:
            BlobReference(
                blob: blob.blob, read: blob.read, key: blob.key, layout: blob.layout,
                root: [UInt8](repeating: 0, count: 32))
        }
    }

    var problem: FileProblem {
        switch self {
        case .otherKey, .otherRoot: .notGenuine
        case .otherLength: .wrongLength
        }
    }
}
