// Functions that Swift's own module of glibc leaves out: the settings of malloc, prctl, whose arguments vary, and memfd_create.
#if defined(__linux__)
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Sets whether the process's memory may be dumped, and read by other processes of the same user: 0 or 1.
static inline int kith_set_dumpable(int value) { return prctl(PR_SET_DUMPABLE, value, 0, 0, 0); }

// Creates an empty file that is in memory only and has no path. No program that is started later inherits it. Returns its
// descriptor, or -1.
static inline int kith_memory_file(void) { return (int)syscall(SYS_memfd_create, "kith", 1 /* MFD_CLOEXEC */); }
#endif
