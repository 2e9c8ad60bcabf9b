import CMalloc

/// Configures glibc to return memory to the system after a burst. A relay runs for months, and should not keep the
/// memory of one hour with large frames or many connections. Does nothing with another C library.
func makeAllocatorGiveBack() {
    #if canImport(Glibc)
        // Blocks of at least this size, in bytes, are mapped and unmapped one by one. A fixed threshold also stops
        // glibc from raising it to the largest block that was ever freed.
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        // Free memory beyond this at the end of the heap is returned at once.
        mallopt(M_TRIM_THRESHOLD, 1 << 20)
        // The default is eight heaps per core, and free memory in one is useless to the others.
        mallopt(M_ARENA_MAX, 4)
    #endif
}

/// Returns free memory between used blocks. Thousands of closed connections leave about 30 KiB each, in small blocks
/// below every threshold.
func returnFreeMemory() {
    #if canImport(Glibc)
        malloc_trim(0)
    #endif
}
