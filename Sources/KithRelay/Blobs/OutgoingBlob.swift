/// The state of a download over one connection.
struct OutgoingBlob {
    let download: any BlobDownload
    var next: UInt64
    let end: UInt64
    var isReading = false
}
