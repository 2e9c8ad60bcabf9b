// glibc's tuning of malloc, which Swift's own module of glibc leaves out.
#if defined(__linux__)
#include <malloc.h>
#endif
