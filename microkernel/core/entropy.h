/* Random bytes: a ChaCha20 generator with fast key erasure, seeded from the processor or from jitter. */
#pragma once

#include "core/types.h"

/* Says in the log where the seed came from. */
void entropy_init(void);
void entropy_bytes(void *to, size_t n);
/* Mixes in more (device noise); never makes the state more predictable. */
void entropy_add(const void *bytes, size_t n);
