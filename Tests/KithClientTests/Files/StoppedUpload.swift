import Foundation
import KithRelay
import KithWire
import NIOCore
import RelayTestSupport
import TestSupport
import Testing

@testable import KithClient
@testable import KithCore

/// An upload whose job was killed.
struct StoppedUpload: Sendable {
    let job: UploadJob
    /// The token with which the recipients read the blob.
    let read: Token
    let file: URL
    let folder: URL
    let address: RelayAddress

    /// The whole ciphertext.
    func sealed(_ content: [UInt8]) throws -> [UInt8] {
        try (0..<job.layout.pieceCount).flatMap { piece in
            let range = job.layout.plainRange(ofPiece: piece)
            let end = min(range.upperBound, job.layout.size)
            let plain = range.lowerBound < end ? Array(content[Int(range.lowerBound)..<Int(end)]) : []
            return try job.cipher.seal(piece: piece, plain, of: job.layout)
        }
    }

    /// Sends the first bytes, as the killed job did.
    func sent(_ count: UInt64, of content: [UInt8], _ profile: Profile) async throws {
        let sealed = try sealed(content)
        for piece in 0..<(count + FileLayout.sealedPiece - 1) / FileLayout.sealedPiece {
            let range = job.layout.sealedRange(ofPiece: piece)
            let digest = FileCipher.digest(ofPiece: Array(sealed[Int(range.lowerBound)..<Int(range.upperBound)]))
            #expect(try await profile.perform(.didSeal(piece, digest, of: job.id)) == .proceed)
        }
        guard count > 0 else { return }
        try await BlobConnection.use(address, trust: .pinned(job.relay.pin)) { connection in
            var rest = sealed[..<Int(count)]
            let status = try await connection.append(to: job.blob, token: job.write, offset: 0, count: count) {
                defer { rest = rest.dropFirst(200_000) }
                return ByteBuffer(bytes: rest.prefix(200_000))
            }
            #expect(status.stored == count)
        }
    }

    /// Runs the job that continues.
    func run(_ profile: Profile) async throws {
        let transfers = FileTransfers(folder: FilesFolder(ofProfile: folder))
        try await FileUpload(job: job, address: address, profile: profile, transfers: transfers).run()
    }

    /// Whether the relay has exactly the ciphertext of `content`.
    func bytesAtRelay(of content: [UInt8]) async throws -> Bool {
        let sealed = try sealed(content)
        return try await BlobConnection.use(address, trust: .pinned(job.relay.pin)) { connection in
            var bytes: [UInt8] = []
            try await connection.read(0..<job.layout.sealedSize, of: job.blob, token: read) {
                bytes.append(contentsOf: $0.readableBytesView)
            }
            return bytes == sealed
        }
    }

    /// Changes the file, with or without its time of change.
    func overwrite(_ content: [UInt8], keepsTime: Bool) throws {
        let handle = try FileHandle(forWritingTo: file)
        try handle.write(contentsOf: Data(content))
        try handle.close()
        if keepsTime { try Self.setTime(of: file, like: job) }
    }

    private static func setTime(of file: URL, like job: UploadJob) throws {
        guard case .path(_, let stamp, _) = job.source else { return }
        var times = [timespec(), timespec()]
        times[1] = timespec(
            tv_sec: Int(stamp.modifiedNs / 1_000_000_000), tv_nsec: Int(stamp.modifiedNs % 1_000_000_000))
        times[0] = times[1]
        #expect(utimensat(AT_FDCWD, file.path, times, 0) == 0)
    }
}

extension Profile {
    /// The upload whose blob is reserved, as a job, and the token with which the recipients read the blob.
    func reservedUpload() -> (job: UploadJob, read: Token)? {
        let device = machine.state.device
        for (place, record) in device.uploads.all {
            guard let upload = record.uploads.first(where: { $0.isReserved && $0.root == nil }),
                case .source(let source, _) = record.files.files[upload.index].content,
                let relay = machine.state.conversations[place.conversation]?.machine.record.relay,
                let point = device.relays[relay]
            else { continue }
            let job = UploadJob(
                id: upload.id, relay: point, blob: upload.blob, write: upload.write, key: upload.key,
                layout: record.layout(of: upload), source: source)
            return (job, upload.read)
        }
        return nil
    }

    /// The download of a file, as a job.
    func download(of place: FilePlace) -> DownloadJob? {
        let device = machine.state.device
        guard let id = device.downloads.id(at: place), let reference = device.downloads.reference(of: id),
            let relay = machine.state.conversations[place.conversation]?.machine.record.relay,
            let point = device.relays[relay]
        else { return nil }
        return DownloadJob(id: id, relay: point, reference: reference)
    }

    func place(of id: TransferID) -> FilePlace? { machine.state.device.downloads.place(of: id) }

    /// Notes that the relay has said more than a day ago that a file is incomplete.
    func ageDownload(_ id: TransferID) {
        machine.withDevice { $0.downloads.pause(id, until: .max, incompleteAt: 0, in: &$0.step) }
    }

    func automaticDownloads(from contact: ContactID) -> Int {
        machine.state.device.downloads.automaticIDs(from: contact).count
    }

    func anyDownload() -> FilePlace? {
        machine.state.device.downloads.ids.first.flatMap(machine.state.device.downloads.place(of:))
    }

    func replaceReference(of id: TransferID, with reference: BlobReference) {
        machine.state.device.downloads.didStart(id, reference)
    }
}
