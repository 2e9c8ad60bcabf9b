import CMalloc

/// Makes glibc return memory to the system after a burst. A relay runs for months, and should not keep the memory that it needed
/// in one hour with large frames or many connections. Has no effect with other C libraries.
func makeAllocatorGiveBack() {
    #if canImport(Glibc)
        // Blocks of at least this size, in bytes, are mapped and unmapped individually. Setting the threshold also keeps glibc
        // from raising it to the size of the largest block that was ever freed.
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        // If more than this is free at the end of the heap, in bytes, it is returned at once.
        mallopt(M_TRIM_THRESHOLD, 1 << 20)
        // The default is eight heaps per core, and memory that is free in one heap cannot be used by the others.
        mallopt(M_ARENA_MAX, 4)
    #endif
}

/// Returns memory to the system that is free between used blocks. Each closed connection leaves about 30 KiB in small blocks,
/// which glibc does not return by itself. A relay may close thousands of connections.
func returnFreeMemory() {
    #if canImport(Glibc)
        malloc_trim(0)
    #endif
}
