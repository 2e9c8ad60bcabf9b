#ifndef KITH_WIPE_H
#define KITH_WIPE_H

#include <string.h>

/// Zeroes memory. The compiler cannot remove this call, although the bytes are not read afterwards.
static inline void kith_wipe(void *bytes, size_t count) {
#ifdef __APPLE__
    memset_s(bytes, count, 0, count);
#else
    explicit_bzero(bytes, count);
#endif
}

#endif
