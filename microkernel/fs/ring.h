/* Byte queues that grow as they fill: what is in pipes and sockets. pyhost looks at those of sockets, too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct span;

/* What many rings hold together. Behind its limit none grows beyond RING_LEAST, which each always has: so all of
 * them hold the limit at most, the least of each, and by how much the last one has grown. */
struct ring_account {
    uint64_t held;                              /* bytes that are allocated */
    uint64_t limit;
};

#define RING_LEAST 4096

struct ring {
    uint8_t *bytes;
    uint32_t allocated;                         /* of them, a power of two; 0: none yet */
    uint32_t limit;                             /* how far it may fill */
    uint32_t head, tail;                        /* free-running */
    struct ring_account *account;               /* NULL: it is in none */
};

static inline uint32_t ring_fill(const struct ring *r) { return r->head - r->tail; }
static inline uint32_t ring_room(const struct ring *r) { return r->limit > ring_fill(r) ? r->limit - ring_fill(r) : 0; }

static inline bool ring_is_bound(const struct ring *r) { return r->account && r->account->held >= r->account->limit; }
/* How much of its room may be used now. */
static inline uint32_t ring_free(const struct ring *r) {
    uint32_t most = r->allocated > RING_LEAST ? r->allocated : RING_LEAST, room = ring_room(r);
    return !ring_is_bound(r) || most - ring_fill(r) > room ? room : most - ring_fill(r);
}

/* Has memory for n bytes more, whatever the ring's own limit says: false if there is none, or the account is full. */
bool ring_reserve(struct ring *r, uint32_t n);
/* Appends n bytes that were reserved: 0, or -EFAULT and nothing is there. */
int ring_put(struct ring *r, struct span *from, uint32_t n);
/* Copies n bytes that are there, from the oldest but `offset` on: 0 or -EFAULT. */
int ring_copy(const struct ring *r, uint32_t offset, struct span *to, uint32_t n);
/* Takes the oldest n away. */
static inline void ring_drop(struct ring *r, uint32_t n) { r->tail += n; }
/* Gives the memory back; what is in it is lost. */
void ring_clear(struct ring *r);
