/* futex(2): waiting for a word of memory to change. */
#ifndef SYS_FUTEX_H
#define SYS_FUTEX_H

#include "core/types.h"

i64 futex_wake(u64 address, u32 count, u32 bitset);

#endif
