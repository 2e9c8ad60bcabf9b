#if canImport(Glibc)
/// glibc's own: its header is in no Swift module.
@_silgen_name("malloc_trim")
private func mallocTrim(_ padding: Int) -> Int32
#endif

/// Gives the pages that hold nothing any more back to the system.
///
/// The allocator keeps them by itself: what a flood of connections took once, some 60 KiB each while they are closed, would
/// stay with the relay for as long as it runs.
func returnFreeMemory() {
    #if canImport(Glibc)
    _ = mallocTrim(0)
    #endif
}
