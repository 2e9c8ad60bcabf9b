#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension StoreFailure {
    /// Creates a failure from the system's error number.
    init(errno: Int32) { self = errno == ENOSPC || errno == EDQUOT ? .full : .io(String(cString: strerror(errno))) }

    /// The failure of the system's last call.
    static var last: StoreFailure { StoreFailure(errno: errno) }
}
