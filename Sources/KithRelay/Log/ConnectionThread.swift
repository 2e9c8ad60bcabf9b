import NIOPosix

/// A connection with its own thread, for work that must not delay commits.
///
/// The compiler does not check that the type is Sendable. Only jobs of the pool use the connection, and the pool has one thread.
final class ConnectionThread: @unchecked Sendable {
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private var connection: SQLiteConnection?

    init(_ connection: SQLiteConnection) {
        self.connection = connection
        pool.start()
    }

    /// Runs `body` on the thread, after all earlier jobs.
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

    /// Runs `body` on the thread, with one snapshot of the file.
    func read<T: Sendable>(
        _ body: @escaping @Sendable (LogReader) throws(StoreFailure) -> T
    ) async throws(StoreFailure) -> T {
        try await run { (connection) throws(StoreFailure) in
            try connection.statement("BEGIN").run()
            // This ends the read transaction. It has no changes to undo.
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
    /// The error of calls that come after the store has begun to close.
    static let closed = StoreFailure.io("the store is closed")
}
