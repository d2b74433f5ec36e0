/* futex(2): waiting for a word of memory to change. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/list.h"
#include "core/thread.h"
#include "mm/user.h"
#include "mm/vm.h"
#include "sys/calls.h"

enum {
    FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP = 5, FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10, FUTEX_COMMAND = 127, FUTEX_CLOCK_REALTIME = 256,
};

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

static i64 futex_requeue(u64 from, u64 to, u32 wake_count, u32 move_count) {
    struct key a = key_of(from), b = key_of(to);
    i64 done = 0;
    if (same(a, b))
        move_count = 0;                         /* to itself: nobody moves */
    struct list *bucket = bucket_of(a), *target = bucket_of(b);
    list_for_safe(l, bucket) {
        struct waiter *w = list_item(l, struct waiter, link);
        if (!same(w->key, a))
            continue;
        if (done < (i64)wake_count) {
            wake(w);
        } else if (done - wake_count < (i64)move_count) {
            list_remove(&w->link);
            w->key = b;
            list_append(target, &w->link);
        } else {
            break;
        }
        done++;
    }
    return done;
}

/* Operation and comparison packed in an int: FUTEX_OP of linux/futex.h. */
static i64 futex_wake_op(u64 first, u64 second, u32 count, u32 count2, u32 op) {
    u32 value, argument = (u32)((i32)(op << 8) >> 20), compare = (u32)((i32)(op << 20) >> 20), new;
    if (op >> 31 & 1)
        argument = 1u << (argument & 31);
    if (copy_from_user(&value, second, sizeof value))
        return -EFAULT;
    switch (op >> 28 & 7) {
    case 0: new = argument; break;
    case 1: new = value + argument; break;
    case 2: new = value | argument; break;
    case 3: new = value & ~argument; break;
    case 4: new = value ^ argument; break;
    default: return -ENOSYS;
    }
    if (copy_to_user(second, &new, sizeof new))
        return -EFAULT;
    i32 v = (i32)value, c = (i32)compare;
    bool also;
    switch (op >> 24 & 15) {
    case 0: also = v == c; break;
    case 1: also = v != c; break;
    case 2: also = v < c; break;
    case 3: also = v <= c; break;
    case 4: also = v > c; break;
    case 5: also = v >= c; break;
    default: return -ENOSYS;
    }
    i64 woken = futex_wake(first, count, UINT32_MAX);
    return also ? woken + futex_wake(second, count2, UINT32_MAX) : woken;
}

i64 sys_futex(u64 address, u64 operation, u64 value, u64 timeout, u64 address2, u64 value3) {
    u32 command = (u32)operation & FUTEX_COMMAND;
    if (address & 3 || !user_range(address, 4))
        return address & 3 ? -EINVAL : -EFAULT;
    u64 deadline = FOREVER;
    u32 bitset = UINT32_MAX;
    switch (command) {
    case FUTEX_WAIT_BITSET:
        bitset = (u32)value3;
        if (!bitset)
            return -EINVAL;
        /* fall through */
    case FUTEX_WAIT:
        if (timeout) {
            i64 error = deadline_from_user(timeout, command == FUTEX_WAIT_BITSET, operation & FUTEX_CLOCK_REALTIME, &deadline);
            if (error)
                return error;
        }
        return futex_wait(address, (u32)value, bitset, deadline);
    case FUTEX_WAKE_BITSET:
        bitset = (u32)value3;
        if (!bitset)
            return -EINVAL;
        /* fall through */
    case FUTEX_WAKE: {
        u8 probe;
        return copy_from_user(&probe, address, 1) ? -EFAULT : futex_wake(address, (u32)value, bitset);
    }
    case FUTEX_CMP_REQUEUE:
    case FUTEX_REQUEUE: {
        u32 now;
        if (copy_from_user(&now, address, sizeof now) || !user_range(address2, 4))
            return -EFAULT;
        if (command == FUTEX_CMP_REQUEUE && now != (u32)value3)
            return -EAGAIN;
        return futex_requeue(address, address2, (u32)value, (u32)timeout);
    }
    case FUTEX_WAKE_OP:
        return futex_wake_op(address, address2, (u32)value, (u32)timeout, (u32)value3);
    }
    return -ENOSYS;                             /* priority inheritance: nothing measured uses it */
}
