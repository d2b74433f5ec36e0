/* The page next to the vDSO's code: what clock_gettime needs. Shared by the kernel and vdso/vdso.c. */
#pragma once

#include <stdint.h>

struct vdso_data {
    uint64_t tsc_start;
    uint64_t scale;                             /* nanoseconds per tick, << 32 */
    int64_t wall_offset;                        /* nanoseconds from the monotonic clock to 1970 UTC */
};
