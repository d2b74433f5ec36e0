/* What stands in for the program and the scheduler: its memory is that of the checks, and other threads run
 * when the caller would sleep. */
#ifndef SHIM_PROGRAM_H
#define SHIM_PROGRAM_H

#include "check.h"
#include "mm/user.h"

/* Touching the byte at this address of the program's is a fault; 0: nowhere. */
extern u64 program_fault;
/* What happens while the caller sleeps. Without it, or when it gives false, a signal ends the wait. */
extern bool (*program_meanwhile)(void);
extern unsigned program_sleeps, program_wakes;
/* The last signal that was sent to it. */
extern int program_signal;
/* Gives the calling thread a processor, for what asks which thread it is. */
void program_enter(void);

static inline struct span program_span(const void *at, size_t n) {
    struct span s;
    CHECK_EQUAL(user_span(&s, (u64)at, n), 0);
    return s;
}

#endif
