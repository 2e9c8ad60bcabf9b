// Functions that Swift's own module of glibc leaves out: the settings of malloc, and prctl, whose arguments vary.
#if defined(__linux__)
#include <malloc.h>
#include <sys/prctl.h>

// Sets whether the process's memory may be dumped, and read by other processes of the same user: 0 or 1.
static inline int kith_set_dumpable(int value) { return prctl(PR_SET_DUMPABLE, value, 0, 0, 0); }
#endif
