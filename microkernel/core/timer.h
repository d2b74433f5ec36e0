/* Deadlines: ordered in a tree, the earliest one programmed into the hardware; no periodic tick. */
#pragma once

#include "core/avl.h"
#include "core/types.h"

struct timer {
    struct avl_node node;
    u64 deadline;                               /* monotonic nanoseconds */
    void (*fire)(struct timer *timer);          /* interrupt context: may wake threads, must not block */
    bool armed;
};

void timer_arm(struct timer *t, u64 deadline);
void timer_cancel(struct timer *t);
/* Fires what is due. Called by the timer interrupt. */
void timer_run(u64 now);
/* FOREVER if none. */
u64 timer_next_deadline(void);
