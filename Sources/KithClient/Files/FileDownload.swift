import Foundation
import KithCore
import KithSupport
import KithWire
import NIOCore

/// One attempt to download the rest of a file into the profile's folder.
struct FileDownload: Sendable {
    let job: DownloadJob
    let address: RelayAddress
    let profile: Profile
    let transfers: FileTransfers

    /// The reason why the job ends without being repeated.
    private enum End: Error {
        case failed(FileProblem)
        /// The job stops, because the transfer no longer exists.
        case stop
    }

    /// Downloads the rest of the file. Returns when the machine knows the result.
    ///
    /// - Throws: an error after which the job can be repeated.
    func run() async throws {
        do {
            let first = await profile.withFiles { [job] in $0.verifiedPieces(of: job.id) }
            try await download(into: try await openFile(after: first), from: first)
        } catch End.failed(let problem) {
            try await profile.perform(.downloadFailed(job.id, problem))
        } catch End.stop {
        } catch RelayConnectionError.refused(let error) where error.code == .denied || error.code == .gone {
            try await profile.perform(.downloadFailed(job.id, .gone))
        } catch let error as PrivateFileError {
            try await profile.perform(
                .downloadFailed(job.id, [ENOSPC, EDQUOT].contains(error.errno) ? .noRoom : .damaged))
        }
    }

    /// - Parameter verified: the number of pieces that are verified and durable in the file.
    private func openFile(after verified: UInt64) async throws -> LocalFile {
        let (job, folder) = (job, transfers.folder)
        return try await FileTransfers.onDisk {
            let file = try folder.makeFile(job.id)
            if verified == 0 { folder.sync() }
            let start = job.reference.layout.sealedRange(ofPiece: verified).lowerBound
            guard file.size >= start else { throw End.failed(.damaged) }
            // Bytes after the verified pieces may be incomplete.
            try file.truncate(to: start)
            return file
        }
    }

    /// - Parameter first: the piece with which this attempt begins.
    private func download(into file: LocalFile, from first: UInt64) async throws {
        let layout = job.reference.layout
        try await BlobConnection.use(address, trust: .pinned(job.relay.pin)) { connection in
            let status = try await connection.status(of: job.reference.blob, token: job.reference.read)
            guard status.size == layout.sealedSize else { throw End.failed(.wrongLength) }
            guard status.isComplete else { throw FileTransfers.Incomplete() }
            let start = layout.sealedRange(ofPiece: first).lowerBound
            transfers.note(job.id, done: start)
            var collected: [UInt8] = []
            var (piece, done) = (first, start)
            // While a piece is verified and written, the next one arrives.
            var storing: Task<Void, any Error>?
            defer { storing?.cancel() }
            try await connection.read(
                start..<layout.sealedSize, of: job.reference.blob, token: job.reference.read
            ) { bytes in
                var bytes = bytes
                while bytes.readableBytes > 0 {
                    let range = layout.sealedRange(ofPiece: piece)
                    let length = Int(range.upperBound - range.lowerBound)
                    let part = bytes.readSlice(length: min(bytes.readableBytes, length - collected.count))
                    if collected.isEmpty { collected.reserveCapacity(length) }
                    if let part { collected.append(contentsOf: part.readableBytesView) }
                    done += UInt64(part?.readableBytes ?? 0)
                    transfers.note(job.id, done: done)
                    guard collected.count == length else { break }
                    try await storing?.value
                    storing = Task { [piece, collected] in try await store(piece, collected, in: file) }
                    collected = []
                    piece += 1
                }
            }
            try await storing?.value
        }
    }

    /// Verifies a piece, writes it to the file, and records its digest.
    private func store(_ index: UInt64, _ sealed: [UInt8], in file: LocalFile) async throws {
        let reference = job.reference
        let digest = try await FileTransfers.onDisk {
            let layout = reference.layout
            let cipher = reference.cipher
            let length = Int(FileLayout.sealedChunk)
            for (position, number) in layout.chunks(ofPiece: index).enumerated() {
                let chunk = sealed[position * length..<min(sealed.count, (position + 1) * length)]
                do {
                    _ = try cipher.open(chunk: number, chunk, of: layout)
                } catch { throw End.failed(.notGenuine) }
            }
            try file.write(sealed, at: layout.sealedRange(ofPiece: index).lowerBound)
            try file.sync()
            return FileCipher.digest(ofPiece: sealed)
        }
        switch try await profile.perform(.didVerify(index, digest, of: job.id)) {
        case .proceed: break
        case .changed, .notGenuine: throw End.failed(.notGenuine)
        case .stop: throw End.stop
        }
    }
}
