/* futex(2): waiting for a word of memory to change. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/list.h"
#include "core/thread.h"
#include "mm/user.h"
#include "mm/vm.h"
#include "sys/calls.h"

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10, FUTEX_COMMAND = 127, FUTEX_CLOCK_REALTIME = 256 };

/* Private and shared futexes alike: in one address space the address is the identity, unless the word
 * lies in a shared mapping, which may be mapped twice. */
struct key { u64 object, offset; };

struct waiter {
    struct list link;
    struct key key;
    u32 bitset;
    bool woken;
    struct thread *thread;
};

#define BUCKETS 256
static struct list buckets[BUCKETS];

static struct key key_of(u64 address) {
    struct vma *v = vm_find(address);
    if (v && v->shared && v->inode)
        return (struct key){(u64)v->inode, v->offset + (address - v->start)};
    return (struct key){0, address};
}

static struct list *bucket_of(struct key k) {
    u64 h = (k.object ^ k.offset >> 2) * 0x9e3779b97f4a7c15ull;
    struct list *b = &buckets[h >> 56];
    if (!b->next)
        list_init(b);
    return b;
}

static bool same(struct key a, struct key b) { return a.offset == b.offset && a.object == b.object; }

static void wake(struct waiter *w) {
    w->woken = true;
    list_remove(&w->link);
    thread_wake(w->thread);
}

i64 futex_wake(u64 address, u32 count, u32 bitset) {
    struct key k = key_of(address);
    i64 woken = 0;
    struct list *bucket = bucket_of(k);
    list_for_safe(l, bucket) {
        struct waiter *w = list_item(l, struct waiter, link);
        if (woken >= (i64)count)
            break;
        if (same(w->key, k) && w->bitset & bitset) {
            wake(w);
            woken++;
        }
    }
    return woken;
}

static i64 futex_wait(u64 address, u32 expected, u32 bitset, u64 deadline) {
    u32 value;
    if (copy_from_user(&value, address, sizeof value))
        return -EFAULT;
    if (value != expected)
        return -EAGAIN;
    struct key k = key_of(address);
    struct waiter w = {.key = k, .bitset = bitset, .thread = current_thread()};
    w.thread->wake_pending = false;
    list_append(bucket_of(k), &w.link);
    int result = 0;
    while (!w.woken && !result)
        result = thread_block(deadline);
    list_remove(&w.link);
    if (w.woken)
        return 0;
    /* A relative or absolute timeout cannot be restarted as it stands: EINTR, as Linux in effect gives. */
    return result == -ERESTARTSYS && deadline != FOREVER ? -ERESTARTNOHAND : result;
}

i64 sys_futex(u64 address, u64 operation, u64 value, u64 timeout, u64 address2, u64 value3) {
    u32 command = (u32)operation & FUTEX_COMMAND, bitset = command >= FUTEX_WAIT_BITSET ? (u32)value3 : UINT32_MAX;
    bool wait = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    u64 deadline = FOREVER;
    u8 probe;
    if (!wait && command != FUTEX_WAKE && command != FUTEX_WAKE_BITSET)
        return -ENOSYS;                         /* priority inheritance, requeueing, WAKE_OP: nothing measured uses them */
    if (address & 3 || !bitset)
        return -EINVAL;
    if (!wait)
        return copy_from_user(&probe, address, 1) ? -EFAULT : futex_wake(address, (u32)value, bitset);
    i64 error = timeout ? deadline_from_user(timeout, command == FUTEX_WAIT_BITSET, operation & FUTEX_CLOCK_REALTIME, &deadline) : 0;
    return error ? error : futex_wait(address, (u32)value, bitset, deadline);
}
