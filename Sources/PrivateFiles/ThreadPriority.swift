#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The priority of threads that move the bytes of files.
package enum ThreadPriority {
    #if canImport(Glibc) || canImport(Musl)
        /// The nice value of a thread with low priority. A thread with the usual value 0 gets about nine times its processor time.
        private static let low: Int32 = 10
    #endif

    /// Gives the calling thread a low priority, so that it does not delay threads that serve messages. Does nothing on systems
    /// without a priority for each thread.
    package static func lower() {
        #if canImport(Glibc) || canImport(Musl)
            // On Linux, 0 means the calling thread.
            _ = setpriority(.init(PRIO_PROCESS.rawValue), 0, low)
        #endif
    }
}
