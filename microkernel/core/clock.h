/* Time: the monotonic clock (time stamp counter), the wall clock on top of it, and the one-shot timer. */
#pragma once

#include "core/types.h"

struct timespec { i64 sec, nsec; };

static inline struct timespec timespec_of(i64 ns) {
    i64 sec = ns / (i64)NS_PER_SEC, rest = ns % (i64)NS_PER_SEC;
    return rest < 0 ? (struct timespec){sec - 1, rest + (i64)NS_PER_SEC} : (struct timespec){sec, rest};
}

/* Finds the counter's rate and the time of day. */
void clock_init(void);
/* Nanoseconds since the kernel started; 0 before clock_init. */
u64 clock_now(void);
/* What to add to clock_now for nanoseconds since 1970 UTC. */
extern i64 clock_wall_offset;
/* Starts the interrupt timer; clock_program asks for an interrupt at a deadline (FOREVER: none). */
void clock_timer_init(void);
void clock_program(u64 deadline);
/* To be called first by the timer interrupt. */
void clock_timer_fired(void);
u64 clock_tsc_khz(void);
/* Fills the page that the vDSO computes time from. */
void clock_fill_vdso(void *data);
