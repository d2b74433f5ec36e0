/* What the parts of the fuzzer share. */
#ifndef STRESS_FUZZ_H
#define STRESS_FUZZ_H

#include "native.h"

enum {
    PAGE = 4096, THREADS = 8, PROD = 40, SIGUSR1 = 10,
    FIRST_FD = 3, DESCRIPTORS = 61,
    OUT_SIZE = 1 << 16, IN_SIZE = 4096, MAP_SIZE = 16 << 20,
    ALTSTACK_SIZE = 1 << 19,                    /* for a frame of each signal, twice */
    OWN_NAMES = 20, SYSTEM_NAMES = 12, TIMES = 8, MASKS = 8, ACTIONS = 8, NESTING_ACTIONS = 3,
};

/* Addresses; everything from base to end is the fuzzer's. */
struct world {
    u64 base, end;
    u64 out, in, map, none, constants, child_stacks;
    /* In the constants, which are read-only: */
    u64 names, times, masks, actions, altstacks, pselects;
    u64 tids[THREADS];
};
extern struct world world;
extern volatile u64 fuzz_signals;
void fuzz_settle(void);

#endif
