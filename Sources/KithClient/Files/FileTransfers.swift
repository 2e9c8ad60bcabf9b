import KithCore
import KithSupport
import KithWire
import NIOPosix
import PrivateFiles
import Synchronization

/// Runs the jobs that move the bytes of a profile's files, or delete them at a relay. Each job has a connection of its own and
/// sends or fetches one piece at a time. A job that is interrupted ends, and the machine begins it again after a pause.
/// Meanwhile, other jobs can run.
final class FileTransfers: Sendable {
    /// The progress of a job.
    struct Progress: Sendable {
        /// The number of bytes of the ciphertext that are at their destination.
        var done: UInt64
        /// The size of the ciphertext, in bytes.
        let total: UInt64
        /// The reason why the job waits; `nil` if it runs.
        var trouble: String?
    }

    /// The relay does not have all bytes of the blob, because the sender has not uploaded all of them yet.
    struct Incomplete: Error {}

    private struct State {
        var tasks: [TransferID: Task<Void, Never>] = [:]
        var progress: [TransferID: Progress] = [:]
        /// The pauses of jobs that were interrupted.
        var backoffs: [TransferID: Backoff] = [:]
        /// Removes files that a crash has left behind.
        var cleaning: Task<Void, Never>?
        var isStopped = false
    }

    /// Time from the opening of a profile until the removal of files that a crash has left behind. Short commands have ended by
    /// then, so they do not read the names of all files.
    private static let cleaningDelay = Duration.seconds(2)

    let folder: FilesFolder
    private let state = Mutex(State())

    init(folder: FilesFolder) { self.folder = folder }

    /// The progress of the jobs that run or pause.
    var progress: [TransferID: Progress] { state.withLock { $0.progress } }

    /// Begins a job.
    ///
    /// - Parameter address: the address at which the relay is reached.
    func start(_ job: TransferJob, at address: RelayAddress, for profile: Profile) {
        let total: UInt64 =
            switch job {
            case .upload(let job): job.layout.sealedSize
            case .download(let job): job.reference.layout.sealedSize
            case .deletion: 0
            }
        state.withLock { state in
            guard !state.isStopped else { return }
            if state.progress[job.id] == nil { state.progress[job.id] = Progress(done: 0, total: total) }
            // Texts have priority over files.
            state.tasks[job.id] = Task(priority: .utility) { [weak profile] in
                guard let profile else { return }
                let pause = await self.pause(after: job.id) {
                    switch job {
                    case .upload(let job):
                        try await FileUpload(job: job, address: address, profile: profile, transfers: self).run()
                    case .download(let job):
                        try await FileDownload(job: job, address: address, profile: profile, transfers: self).run()
                    case .deletion(let job):
                        try await FileDeletion(job: job, address: address, profile: profile).run()
                    }
                }
                self.state.withLock { state in
                    state.tasks[job.id] = nil
                    guard pause == nil else { return }
                    state.progress[job.id] = nil
                    state.backoffs[job.id] = nil
                }
                guard let pause else { return }
                // The machine may begin the job again before this call returns. A profile that is closed needs no report.
                _ = try? await profile.perform(
                    .transferPaused(job.id, pauseMs: pause.ms, isIncomplete: pause.isIncomplete))
            }
        }
    }

    /// Ends a job.
    func end(_ id: TransferID) {
        state.withLock { state in
            state.tasks.removeValue(forKey: id)?.cancel()
            state.progress[id] = nil
            state.backoffs[id] = nil
        }
    }

    /// After a delay, removes files that a crash has left behind.
    func clean(_ store: any ProfileStore) {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.cleaning = Task { [folder] in
                guard (try? await Task.sleep(for: Self.cleaningDelay)) != nil else { return }
                try? await Self.onDisk { try folder.removeUnknown { try StoredFiles.all(in: store) } }
            }
        }
    }

    /// Ends all jobs. Returns when no job runs any more.
    func stop() async {
        let tasks = state.withLock { state in
            state.isStopped = true
            return Array(state.tasks.values) + (state.cleaning.map { [$0] } ?? [])
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    /// Notes the progress of a job.
    func note(_ id: TransferID, done: UInt64) {
        state.withLock { state in
            state.progress[id]?.done = done
            state.progress[id]?.trouble = nil
        }
    }

    /// Makes one attempt at a job. The pauses between attempts grow until an attempt makes progress.
    ///
    /// - Returns: the pause until the next attempt, and whether the relay lacks bytes of the blob; `nil` if no attempt follows.
    private func pause(
        after id: TransferID, _ attempt: () async throws -> Void
    ) async -> (ms: UInt64, isIncomplete: Bool)? {
        let before = progress[id]?.done
        do {
            try await attempt()
            return nil
        } catch is CancellationError {
            return nil
        } catch is KithError {
            // The profile is closed, or has failed.
            return nil
        } catch {
            guard !Task.isCancelled else { return nil }
            return state.withLock { state in
                var backoff = state.backoffs[id] ?? .reconnecting
                if state.progress[id]?.done != before { backoff.reset() }
                var pause = backoff.nextMs()
                if case RelayConnectionError.refused(let refusal) = error {
                    pause = max(pause, UInt64(refusal.retryAfterMs))
                }
                state.backoffs[id] = backoff
                state.progress[id]?.trouble = Self.words(for: error)
                return (pause, error is Incomplete)
            }
        }
    }

    private static func words(for error: any Error) -> String {
        switch error {
        case let error as RelayConnectionError: error.description
        case let error as PrivateFileError: error.description
        case is Incomplete: "the sender has not uploaded the whole file"
        default: "the transfer was interrupted"
        }
    }

    /// The threads that read, encrypt and write files. One may wait for the disk while another one encrypts.
    private static let threads = {
        let threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        return threads
    }()

    /// Runs `body`, which takes long, on one of the threads for such work. Their priority is low, because texts come before files.
    static func onDisk<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await threads.runIfActive {
            ThreadPriority.lower()
            return try body()
        }
    }
}
