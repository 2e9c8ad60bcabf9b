import CMalloc
import Foundation

/// Keeps the process's memory, which holds keys, out of core dumps, and on Linux also from other processes of the same
/// user. To debug the program, attach as root.
func closeMemory() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if os(Linux)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // A collector of core dumps that is a program gets them whatever the limit is.
        _ = kith_set_dumpable(0)
    #else
        setrlimit(RLIMIT_CORE, &none)
    #endif
}
