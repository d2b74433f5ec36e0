/* Names for addresses of the kernel's own functions. */
#pragma once

#include "core/types.h"

/* The function an address lies in and the offset into it; NULL if it is none of ours. */
const char *symbol_of(vaddr_t address, u64 *offset);
