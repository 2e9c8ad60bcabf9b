import KithWire
import Synchronization

/// The metrics of a relay. Each metric is a number without labels, and cannot name a channel or a person.
final class RelayMetrics: Sendable {
    let connectionsOpen = Atomic<Int>(0)
    let connectionsTotal = Atomic<Int>(0)
    let connectionsRefused = Atomic<Int>(0)
    let connectionsTimedOut = Atomic<Int>(0)
    let connectionsPaused = Atomic<Int>(0)
    let acceptFailures = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let entriesAccepted = Atomic<Int>(0)
    let entriesRepeated = Atomic<Int>(0)
    let entriesDelivered = Atomic<Int>(0)
    let whispers = Atomic<Int>(0)
    let turnsAccepted = Atomic<Int>(0)
    let bytesIn = Atomic<Int>(0)
    let bytesOut = Atomic<Int>(0)
    let rounds = Atomic<Int>(0)
    let commits = Atomic<Int>(0)
    let commitNanoseconds = Atomic<Int>(0)
    let commitFailures = Atomic<Int>(0)
    let cachedChannels = Atomic<Int>(0)
    let cachedEntryIDs = Atomic<Int>(0)
    let storeUsedBytes = Atomic<Int>(0)
    let storeLimitBytes = Atomic<Int>(0)
    let storeLevel = Atomic<Int>(0)
    let clockAheadSeconds = Atomic<Int>(0)
    let blobBytesIn = Atomic<Int>(0)
    let blobBytesOut = Atomic<Int>(0)
    /// Number of `present` requests that found a damaged channel. The store itself counts damage that is found during a write.
    let damagedReads = Atomic<Int>(0)
    /// One counter for each error code, by its raw value.
    let errors = AtomicCounters(count: 1 + Int(RelayError.Code.allCases.map(\.rawValue).max() ?? 0))

    /// The metrics in Prometheus' text format, version 0.0.4.
    func rendered(store: StoreStatistics?, blobs: BlobStatistics?) -> String {
        var text = ""
        func metric(_ name: String, _ type: String, _ help: String, _ value: Int) {
            text += "# HELP kith_\(name) \(help)\n# TYPE kith_\(name) \(type)\nkith_\(name) \(value)\n"
        }
        func counter(_ name: String, _ help: String, _ value: borrowing Atomic<Int>) {
            metric(name, "counter", help, value.load(ordering: .relaxed))
        }
        func gauge(_ name: String, _ help: String, _ value: Int) { metric(name, "gauge", help, value) }

        gauge("connections", "Connections open now.", connectionsOpen.load(ordering: .relaxed))
        counter("connections_total", "Connections accepted.", connectionsTotal)
        counter("connections_refused_total", "Connections closed at once for a limit.", connectionsRefused)
        counter("connections_timed_out_total", "Connections closed for silence.", connectionsTimedOut)
        counter("connections_paused_total", "Times that a connection over its rate was not read.", connectionsPaused)
        counter("accept_failures_total", "Times that the system could not accept a connection.", acceptFailures)
        counter("requests_total", "Requests read.", requests)
        counter("entries_accepted_total", "Entries made durable.", entriesAccepted)
        counter("entries_repeated_total", "Entries that were sent again and recognised.", entriesRepeated)
        counter("entries_delivered_total", "Entries sent to followers.", entriesDelivered)
        counter("whispers_total", "Whispers passed on.", whispers)
        counter("turns_accepted_total", "Epochs turned.", turnsAccepted)
        counter("received_bytes_total", "Bytes of frames read, without TLS.", bytesIn)
        counter("sent_bytes_total", "Bytes of frames written, without TLS.", bytesOut)
        counter("rounds_total", "Rounds in which requests were decided.", rounds)
        counter("commits_total", "Group commits of the store.", commits)
        counter("commit_failures_total", "Group commits in which something failed.", commitFailures)
        counter("commit_nanoseconds_total", "Time spent in group commits.", commitNanoseconds)
        gauge("cached_channels", "Channels in memory.", cachedChannels.load(ordering: .relaxed))
        gauge("cached_entry_ids", "Entry ids in memory.", cachedEntryIDs.load(ordering: .relaxed))
        gauge("store_used_bytes", "Bytes of the store in use.", storeUsedBytes.load(ordering: .relaxed))
        gauge("store_limit_bytes", "Bytes that the store may use.", storeLimitBytes.load(ordering: .relaxed))
        gauge(
            "store_level", "0: room. 1: nothing new. 2: no letters, nor entries of recent channels. 3: no entries.",
            storeLevel.load(ordering: .relaxed))
        gauge(
            "clock_ahead_seconds", "Lead of the clock after a jump, while the jump is not believed.",
            clockAheadSeconds.load(ordering: .relaxed))
        text += "# HELP kith_errors_total Refusals by code.\n# TYPE kith_errors_total counter\n"
        for code in RelayError.Code.allCases {
            text += "kith_errors_total{code=\"\(code)\"} \(errors.value(at: Int(code.rawValue)))\n"
        }
        if let blobs {
            counter("blob_received_bytes_total", "Bytes of files uploaded.", blobBytesIn)
            counter("blob_sent_bytes_total", "Bytes of files downloaded.", blobBytesOut)
            gauge("blobs", "Files in the store.", blobs.count)
            gauge("blob_bytes", "Sum of the sizes of the files.", Int(clamping: blobs.bytes))
        }
        if let store {
            gauge("store_channels", "Channels in the store.", Int(clamping: store.channels))
            gauge("store_entries", "Entries in the store.", Int(clamping: store.entries))
            gauge("store_key_packages", "Key packages in the store.", Int(clamping: store.keyPackages))
            gauge("store_names", "Names in the store.", Int(clamping: store.names))
            metric(
                "store_damages_total", "counter", "Times that damaged data was found and skipped.",
                Int(clamping: store.damages) + damagedReads.load(ordering: .relaxed))
            gauge("store_bytes", "Bytes of the store on the disk.", Int(clamping: store.diskBytes))
        }
        return text
    }

    func count(_ error: RelayError) {
        errors.add(1, at: Int(error.code.rawValue))
    }
}
