#include "fs/ring.h"

#include "core/errno.h"
#include "core/string.h"
#include "mm/kmalloc.h"
#include "mm/user.h"

#define FIRST_ALLOCATED 1024                    /* of 2048 there is one in a page */

/* A copy is short enough not to be preempted: another thread could replace the ring meanwhile. */
#define MOVE_LIMIT 65536

/* The longest piece at a position. */
static uint32_t piece_at(const struct ring *r, uint32_t position, uint32_t n) {
    return (uint32_t)min_u64(min_u64(n, MOVE_LIMIT), r->allocated - (position & (r->allocated - 1)));
}

bool ring_reserve(struct ring *r, uint32_t n) {
    u32 fill = ring_fill(r), wanted = r->allocated ? r->allocated : FIRST_ALLOCATED;
    if (r->allocated - fill >= n)
        return true;
    while (wanted - fill < n)
        wanted *= 2;
    if (ring_is_bound(r) && wanted > RING_LEAST)
        return false;
    struct ring bigger = {.bytes = kmalloc(wanted), .allocated = wanted, .limit = r->limit, .head = fill, .account = r->account};
    if (!bigger.bytes)
        return false;
    if (r->account)
        r->account->held += wanted - r->allocated;
    struct span to = kernel_span(bigger.bytes, fill);
    ring_copy(r, 0, &to, fill);
    kfree(r->bytes);
    *r = bigger;
    return true;
}

int ring_put(struct ring *r, struct span *from, uint32_t n) {
    u32 at = r->head;
    for (u32 piece; n; n -= piece, at += piece) {
        piece = piece_at(r, at, n);
        if (span_get(from, r->bytes + (at & (r->allocated - 1)), piece))
            return -EFAULT;
    }
    r->head = at;
    return 0;
}

int ring_copy(const struct ring *r, uint32_t offset, struct span *to, uint32_t n) {
    u32 at = r->tail + offset;
    for (u32 piece; n; n -= piece, at += piece) {
        piece = piece_at(r, at, n);
        if (span_put(to, r->bytes + (at & (r->allocated - 1)), piece))
            return -EFAULT;
    }
    return 0;
}

void ring_clear(struct ring *r) {
    if (r->account)
        r->account->held -= r->allocated;
    kfree(r->bytes);
    *r = (struct ring){.limit = r->limit, .account = r->account};
}
