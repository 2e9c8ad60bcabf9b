import KithSupport
import KithWire

/// The bytes of one file that have to be moved to or from a relay, or deleted there. The machine begins a job with an effect, and
/// the job reports its progress with commands. A job is repeated until it is done, until it fails for good, or until the machine
/// ends it.
package enum TransferJob: Sendable {
    case upload(UploadJob)
    case download(DownloadJob)
    case deletion(DeletionJob)

    /// The transfer's number.
    package var id: TransferID {
        switch self {
        case .upload(let job): job.id
        case .download(let job): job.id
        case .deletion(let job): job.id
        }
    }

    /// The relay of the blob.
    package var relay: RelayPoint {
        switch self {
        case .upload(let job): job.relay
        case .download(let job): job.relay
        case .deletion(let job): job.relay
        }
    }
}

/// An upload whose blob the relay has reserved.
package struct UploadJob: Sendable {
    package let id: TransferID
    package let relay: RelayPoint
    package let blob: BlobID
    package let write: Token
    package let key: SecretBytes
    package let layout: FileLayout
    package let source: FileSource

    /// The cipher of the file.
    package var cipher: FileCipher { FileCipher(key, padded: layout.padded) }
}

/// A download of a file into the profile's folder.
package struct DownloadJob: Sendable {
    package let id: TransferID
    package let relay: RelayPoint
    package let reference: BlobReference
}

/// The deletion of a blob that this device has uploaded.
package struct DeletionJob: Sendable {
    package let id: TransferID
    package let relay: RelayPoint
    package let blob: BlobID
    package let write: Token
}

/// The answer to a job that has prepared or verified a piece.
package enum PieceDecision: Hashable, Sendable {
    /// The piece is recorded. The job goes on.
    case proceed
    /// Another plaintext was encrypted for this piece before, so the file has changed. The piece must not be sent.
    case changed
    /// All pieces have arrived, but the root of their digests is not the root that the sender has stated.
    case notGenuine
    /// The transfer no longer exists, so the job ends.
    case stop
}

/// The reason why an upload cannot go on with its blob.
package enum UploadFailure: Hashable, Sendable {
    /// The file has changed. The source contains the file's new stamp, and says whether the metadata of a picture is left out.
    /// `size` is the file's new size.
    case changed(FileSource, size: UInt64)
    /// The relay no longer has the blob, or lacks bytes that it had confirmed.
    case blobLost
    /// The upload has failed for good.
    case problem(FileProblem)
}
