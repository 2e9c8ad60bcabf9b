import KithCore
import KithSupport
import KithWire
import NIOCore

/// One attempt to upload the rest of a file.
struct FileUpload: Sendable {
    let job: UploadJob
    let address: RelayAddress
    let profile: Profile
    let transfers: FileTransfers

    /// A piece of the ciphertext. The vault already has the digest of the piece.
    private struct Piece: Sendable {
        let range: Range<UInt64>
        let bytes: ByteBuffer
    }

    /// The reason why the job ends without being repeated.
    private enum End: Error {
        case failed(UploadFailure)
        /// The job stops, because the transfer no longer exists.
        case stop
    }

    /// The number of bytes that are passed to the connection at once.
    private static let slice = 256 << 10

    /// Uploads the rest of the file. Returns when the machine knows the result.
    ///
    /// - Throws: an error after which the job can be repeated.
    func run() async throws {
        do {
            let source = try await openSource()
            try await upload(source)
            _ = try await profile.perform(.didUpload(job.id))
        } catch End.failed(let failure) {
            try await profile.perform(.uploadFailed(job.id, failure))
        } catch End.stop {
        } catch RelayConnectionError.refused(let error) {
            switch error.code {
            case .denied, .gone, .exists: try await profile.perform(.uploadFailed(job.id, .blobLost))
            case .tooLarge:
                try await profile.perform(.uploadFailed(job.id, .problem(.tooLarge(limit: nil))))
            default: throw RelayConnectionError.refused(error)
            }
        }
    }

    private func openSource() async throws -> UploadSource {
        let (job, folder) = (job, transfers.folder)
        return try await FileTransfers.onDisk {
            let source = try Self.open(job, in: folder)
            guard source.source == job.source, source.size == job.layout.size else {
                throw End.failed(.changed(source.source, size: source.size))
            }
            return source
        }
    }

    private static func open(_ job: UploadJob, in folder: FilesFolder) throws -> UploadSource {
        do {
            return try UploadSource(job.source, size: job.layout.size, in: folder)
        } catch is UploadSource.NotCleaned {
            throw End.failed(.problem(.notCleaned))
        } catch { throw End.failed(.problem(.unreadable)) }
    }

    private func upload(_ source: UploadSource) async throws {
        let layout = job.layout
        try await BlobConnection.use(address, trust: .pinned(job.relay.pin)) { connection in
            let status = try await connection.status(of: job.blob, token: job.write)
            let recorded = await profile.withFiles { [job] in $0.recordedPieces(of: job.id) } * FileLayout.sealedPiece
            // If the relay has more bytes than were sent, or another size, it does not have this blob.
            guard status.size == layout.sealedSize, status.stored <= min(layout.sealedSize, recorded) else {
                throw End.failed(.blobLost)
            }
            var offset = status.stored
            transfers.note(job.id, done: offset)
            guard offset < layout.sealedSize else { return }
            var piece = try await prepare(layout.piece(at: offset), source)
            while true {
                // The next piece is prepared while this one is sent.
                let next = layout.piece(at: piece.range.upperBound)
                async let prepared = next < layout.pieceCount ? prepare(next, source) : nil
                offset = try await send(piece, from: offset, on: &connection)
                guard let following = try await prepared else { break }
                piece = following
            }
        }
    }

    /// Encrypts a piece, and records its digest.
    private func prepare(_ index: UInt64, _ source: UploadSource) async throws -> Piece {
        let (job, folder) = (job, transfers.folder)
        let (bytes, digest) = try await FileTransfers.onDisk {
            let range = job.layout.plainRange(ofPiece: index)
            let end = min(range.upperBound, job.layout.size)
            let plain = try? source.read(min(range.lowerBound, end)..<end)
            guard let plain, !source.hasChanged else { throw End.failed(Self.change(of: job, in: folder)) }
            let sealed = try job.cipher.seal(piece: index, plain, of: job.layout)
            return (ByteBuffer(bytes: sealed), FileCipher.digest(ofPiece: sealed))
        }
        switch try await profile.perform(.didSeal(index, digest, of: job.id)) {
        case .proceed: return Piece(range: job.layout.sealedRange(ofPiece: index), bytes: bytes)
        case .changed, .notGenuine:
            throw End.failed(try await FileTransfers.onDisk { Self.change(of: job, in: folder) })
        case .stop: throw End.stop
        }
    }

    /// Sends the rest of a piece. Returns the number of bytes that the relay has afterwards.
    private func send(
        _ piece: Piece, from offset: UInt64, on connection: inout BlobConnection
    ) async throws -> UInt64 {
        var rest = piece.bytes
        rest.moveReaderIndex(forwardBy: Int(offset - piece.range.lowerBound))
        var sent = offset
        return try await connection.append(
            to: job.blob, token: job.write, offset: offset, count: piece.range.upperBound - offset
        ) {
            let slice = rest.readSlice(length: min(Self.slice, rest.readableBytes)) ?? ByteBuffer()
            sent += UInt64(slice.readableBytes)
            transfers.note(job.id, done: sent)
            return slice
        }.stored
    }

    /// Returns the failure of an upload whose file has changed. The failure contains the file's present stamp and size.
    private static func change(of job: UploadJob, in folder: FilesFolder) -> UploadFailure {
        guard case .path = job.source else { return .problem(.unreadable) }
        do {
            let now = try open(job, in: folder)
            return .changed(now.source, size: now.size)
        } catch End.failed(let failure) {
            return failure
        } catch { return .problem(.unreadable) }
    }
}
