import NIOPosix

/// A connection with a thread of its own, for work that should not delay commits.
///
/// Sendable without a check: only jobs of the pool use the connection, and the pool has one thread.
final class ConnectionThread: @unchecked Sendable {
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private var connection: SQLiteConnection?

    init(_ connection: SQLiteConnection) {
        self.connection = connection
        pool.start()
    }

    /// Runs `body` after all earlier jobs.
    func run<T: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws(StoreFailure) -> T
    ) async throws(StoreFailure) -> T {
        let result: Result<T, StoreFailure>
        do {
            result = try await pool.runIfActive {
                guard let connection = self.connection else { return .failure(.closed) }
                do throws(StoreFailure) { return .success(try body(connection)) } catch { return .failure(error) }
            }
        } catch { throw .closed }
        return try result.get()
    }

    /// Runs `body` on one snapshot of the file.
    func read<T: Sendable>(
        _ body: @escaping @Sendable (LogReader) throws(StoreFailure) -> T
    ) async throws(StoreFailure) -> T {
        try await run { (connection) throws(StoreFailure) in
            try connection.statement("BEGIN").run()
            // Ends the read transaction. There are no changes to undo.
            defer { connection.rollback() }
            return try body(LogReader(connection: connection))
        }
    }

    /// Closes the connection after all earlier jobs.
    func close() async {
        try? await pool.runIfActive { self.connection = nil }
        try? await pool.shutdownGracefully()
    }
}

extension StoreFailure {
    /// The store is closed or closing.
    static let closed = StoreFailure.io("the store is closed")
}
