import CLinux

/// Makes glibc return memory to the system after a burst. A relay runs for months. An hour with large frames or many
/// connections can take much more memory than the hours after it. With other C libraries, this function has no effect.
func makeAllocatorGiveBack() {
    #if canImport(Glibc)
        // Blocks of at least this size, in bytes, are mapped and unmapped individually. Setting the threshold also keeps glibc
        // from raising it to the size of the largest block that was ever freed.
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        // If the free memory at the end of the heap exceeds this size, in bytes, glibc returns it at once.
        mallopt(M_TRIM_THRESHOLD, 1 << 20)
        // The default is eight heaps per core, and memory that is free in one heap cannot be used by the others.
        mallopt(M_ARENA_MAX, 4)
    #endif
}

/// Gives the free memory between used blocks back to the system. Each closed connection leaves about 30 KiB in small blocks,
/// and glibc does not give these blocks back by itself. A relay may close thousands of connections.
func returnFreeMemory() {
    #if canImport(Glibc)
        malloc_trim(0)
    #endif
}
