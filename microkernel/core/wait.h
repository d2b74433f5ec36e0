/* Waiting for something to happen: queues of parties to be told, and the loop every blocking call uses.
 *
 * Kernel code runs with interrupts off except where it halts, so nothing happens between testing a
 * condition and blocking. */
#pragma once

#include "core/list.h"
#include "core/types.h"

struct thread;

struct waitqueue {
    struct list entries;
};

/* One party on one queue. `wake` is called with the ready events (POLL* bits) and must not block. */
struct wait_entry {
    struct list link;
    void (*wake)(struct wait_entry *entry, u32 events);
    struct thread *thread;
};

static inline void waitqueue_init(struct waitqueue *q) { list_init(&q->entries); }
static inline void waitqueue_add(struct waitqueue *q, struct wait_entry *e) { list_append(&q->entries, &e->link); }
static inline void waitqueue_remove(struct wait_entry *e) { list_remove(&e->link); }
/* Tells everyone on the queue; they look for themselves whether it concerns them. */
void waitqueue_wake(struct waitqueue *q, u32 events);

/* An entry that wakes the calling thread. */
void wait_begin(struct wait_entry *e, struct waitqueue *q);

/* Sleeps until thread_wake (0), the deadline (-ETIMEDOUT) or a signal (-ERESTARTSYS). */
int thread_block(u64 deadline);

/* Blocks until the condition holds: 0, -ETIMEDOUT or -ERESTARTSYS. */
#define WAIT_UNTIL(queue, condition, deadline) \
    ({ \
        int wait_result_ = 0; \
        struct wait_entry wait_entry_; \
        wait_begin(&wait_entry_, queue); \
        while (!(condition) && !wait_result_) \
            wait_result_ = thread_block(deadline); \
        waitqueue_remove(&wait_entry_); \
        (condition) ? 0 : wait_result_; \
    })

/* The same without a deadline, or -EAGAIN rather than blocking. */
#define WAIT_OR_EAGAIN(queue, condition, nonblocking) \
    ((condition) ? 0 : (nonblocking) ? -EAGAIN : WAIT_UNTIL(queue, condition, FOREVER))

/* Events of poll(2) and epoll(7). */
enum {
    POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLNVAL = 32, POLLRDNORM = 64,
    POLLRDBAND = 128, POLLWRNORM = 256, POLLWRBAND = 512, POLLRDHUP = 0x2000,
};
