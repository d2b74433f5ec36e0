/* futex(2): waiting for a word of memory to change. */
#pragma once

#include "core/types.h"

i64 futex_wake(u64 address, u32 count, u32 bitset);
