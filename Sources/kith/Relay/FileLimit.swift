import Foundation

#if os(Linux)
    import CLinux
#endif

/// Raises the limit of open files to the system's maximum. Each connection of a relay is an open file. The usual limit is 1,024.
/// Failures are ignored.
func raiseFileLimit() {
    #if os(Linux)
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        let files = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(files, &limit)
}
