import CMalloc

/// Lets the C library give memory back to the system when a burst is over: a relay runs for months, and what one hour of
/// large frames or many connections took should not stay taken. Does nothing where the C library is another.
func makeAllocatorGiveBack() {
    #if canImport(Glibc)
        // Setting the threshold also stops glibc from raising it to the largest block it has seen freed: blocks of this
        // size, in bytes, are mapped one by one and unmapped when they are freed.
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        // Free memory at the end of the heap beyond this goes back at once.
        mallopt(M_TRIM_THRESHOLD, 1 << 20)
        // The default is eight heaps for each core, and what is free in one does not serve the others.
        mallopt(M_ARENA_MAX, 4)
    #endif
}

/// Gives back what is free between blocks in use: thousands of connections that came and went leave some 30 KiB each, all in
/// small blocks that no threshold concerns.
func returnFreeMemory() {
    #if canImport(Glibc)
        malloc_trim(0)
    #endif
}
