import CLinux
import Foundation

/// Protects the process's memory, which contains keys. The memory is excluded from core dumps. On Linux, other processes of the
/// same user cannot read the memory. Only a debugger that runs as root can read the memory.
func closeMemory() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if os(Linux)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // This is needed as well, because a program that collects core dumps ignores the limit.
        _ = kith_set_dumpable(0)
    #else
        setrlimit(RLIMIT_CORE, &none)
    #endif
}
