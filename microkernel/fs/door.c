/* Sockets that tasks serve: what _kernel.Socket does. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "core/timer.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"
#include "sys/request.h"

#define LARGEST_RING (4u << 20)                 /* the most memory there is in one piece */

/* By number; there is none with number 0. A number is used again as late as possible. */
static struct socket **numbered;
static u32 capacity, next_number = 1, count;
static struct list changed = LIST_INIT(changed);
/* What streams have received and not been read, and have been written and not been acknowledged. */
static struct ring_account streams = {.limit = UINT64_MAX};

/*
 * Services are told at once of everything but what a program sends after it has sent something already
 * and has not waited since: that is told when it waits for anything, or looks whether there is more to do
 * (poll), and TOLD_AFTER at the latest. So a server that answers many requests in one round of its loop has
 * them all sent together, with one change of threads; one that answers one at a time loses nothing.
 */
#define TOLD_AFTER (1 * NS_PER_MS)
static bool news, told, postponed;
bool doors_sending;

static void tell(void) {
    postponed = false;
    told = news = true;
    services_wake();
}

static void tell_late(struct timer *timer) {
    if (postponed)
        tell();
}

static struct timer late = {.fire = tell_late};

void doors_look(void) {
    doors_sending = false;
    if (postponed) {
        timer_cancel(&late);
        tell();
    }
}

static struct socket *find(u64 number) {
    struct socket *s = number < capacity ? numbered[number] : NULL;
    return s && s->door ? s : NULL;
}

bool door_has_news(void) {
    bool had = news || postponed;
    if (postponed) {
        timer_cancel(&late);
        postponed = false;
        told = true;
    }
    news = false;
    return had;
}

void door_changed(struct socket *s, u32 bits) {
    if (!s->door)
        return;
    s->changed |= bits;
    if (list_empty(&s->in_changed))
        list_append(&changed, &s->in_changed);
    if (told)
        return;
    if (bits == SOCKET_SENT && doors_sending) {
        if (!postponed)
            timer_arm(&late, clock_now() + TOLD_AFTER);
        postponed = true;
        return;
    }
    doors_sending |= bits == SOCKET_SENT;
    timer_cancel(&late);
    tell();
}

void door_forget(struct socket *s) {
    list_remove(&s->in_changed);
    if (s->number) {
        numbered[s->number] = NULL;
        count--;
    }
}

struct socket *door_claim(u64 number) {
    struct socket *s = find(number);
    if (!s || s->refs > 1 || s->closed)
        return NULL;
    s->refs++;
    return s;
}

/* Wakes whoever can go on, or has to be told of an end. */
static void look_at_state(struct socket *s) {
    if (s->state & HUNG_UP)
        s->state |= PEER_CLOSED | WRITE_SHUT;
    if (s->state & (CONNECTED | HUNG_UP) || s->error)
        s->state &= ~(u32)CONNECTING;
    socket_wake(s, socket_events(s));
}

/* ---- making and ending ---- */

static bool grow(void) {
    u32 wanted = capacity ? capacity * 2 : 64;
    struct socket **bigger = kzalloc(wanted * sizeof *bigger);
    if (!bigger)
        return false;
    if (numbered)
        memcpy(bigger, numbered, capacity * sizeof *bigger);
    kfree(numbered);
    numbered = bigger;
    capacity = wanted;
    return true;
}

static i64 new_door(u64 door, u32 family, u64 type_and_protocol, u64 address_at) {
    struct socket *s = NULL;
    if (!door)
        return -EINVAL;
    if (count + 1 >= capacity && !grow())
        return -ENOMEM;
    if (!(s = socket_new(family, (u32)type_and_protocol, (i32)(type_and_protocol >> 32))))
        return -ENOMEM;
    if (copy_to_user(address_at, &s, sizeof s)) {
        socket_put(s);
        return -EFAULT;
    }
    while (!next_number || next_number >= capacity || numbered[next_number])
        next_number = next_number >= capacity ? 1 : next_number + 1;
    s->number = next_number++;
    s->door = door;
    if (socket_is_stream(s))
        s->in.account = s->out.account = &streams;
    numbered[s->number] = s;
    count++;
    return s->number;
}

static i64 release_door(struct socket *s) {
    s->door = 0;
    list_remove(&s->in_changed);
    s->changed = 0;
    ring_clear(&s->out);
    if (!(s->state & HUNG_UP)) {
        s->state |= HUNG_UP;
        look_at_state(s);
    }
    socket_put(s);
    return 0;
}

void doors_ended(void) {
    for (u32 number = 0; number < capacity; number++) {
        struct socket *s = find(number);
        if (!s)
            continue;
        s->error = EIO;
        release_door(s);
    }
}

static i64 take_changes(u64 to, u64 room) {
    i64 n = current_thread() == services_thread ? 0 : -EBUSY;
    while (n >= 0 && (u64)n < room && !list_empty(&changed)) {
        struct socket *s = list_first(&changed, struct socket, in_changed);
        struct door_change c = {s->door, s->changed};
        if (copy_to_user(to + (u64)n * sizeof c, &c, sizeof c))
            return -EFAULT;
        s->changed = 0;
        list_remove(&s->in_changed);
        n++;
    }
    if (list_empty(&changed))
        told = false;
    return n;
}

/* ---- data ---- */

static i64 deliver(struct socket *s, u64 from, u64 size) {
    struct span data;
    if (user_span(&data, from, size))
        return -EFAULT;
    if (size > ring_room(&s->in) || !socket_is_stream(s))
        return -EINVAL;
    if (size && !s->closed) {
        if (!ring_reserve(&s->in, (u32)size))
            return -ENOMEM;
        if (ring_put(&s->in, &data, (u32)size))
            return -EFAULT;
        socket_wake(s, POLLIN | POLLRDNORM);
    }
    return ring_room(&s->in);
}

#define ERRORS_MOST 16384                       /* bytes of one socket's queue of errors */

/* 1, or 0 if there is no room. */
static i64 deliver_record(struct socket *s, struct ring *to, u64 from, u32 events) {
    struct door_message m;
    struct span data, control;
    u8 address[SOCKET_ADDRESS_MAX];
    if (copy_from_user(&m, from, sizeof m))
        return -EFAULT;
    if (m.address_size > sizeof address || m.control_size > SOCKET_CONTROL_MAX || socket_is_stream(s))
        return -EINVAL;
    if (copy_from_user(address, m.address, m.address_size) || user_span(&data, m.data, m.size) || user_span(&control, m.control, m.control_size))
        return -EFAULT;
    if (s->closed)
        return 1;
    if (m.size > LARGEST_RING / 4 || !record_fits(to, record_size(m.address_size, m.control_size, m.size)))
        return 0;
    i64 error = record_put(to, address, m.address_size, &control, m.control_size, &data);
    if (error)
        return error == -ENOMEM ? 0 : error;
    socket_wake(s, events);
    return 1;
}

static i64 deliver_error(struct socket *s, u64 from) {
    if (!s->errors && !(s->errors = kzalloc(sizeof *s->errors)))
        return 0;
    s->errors->limit = ERRORS_MOST;
    i64 done = deliver_record(s, s->errors, from, POLLERR);
    if (!ring_fill(s->errors))
        socket_drop_errors(s);
    return done;
}

static i64 notify_free(struct socket *s, u64 n) {
    s->notify_free = (u32)n;
    if (n && ring_room(&s->in) >= n) {
        s->notify_free = 0;
        door_changed(s, SOCKET_TAKEN);
    }
    return 0;
}

static i64 peek(struct socket *s, u64 offset, u64 to, u64 size) {
    u64 fill = ring_fill(&s->out);
    struct span data;
    if (user_span(&data, to, size))
        return -EFAULT;
    if (offset > fill || size > fill - offset || !socket_is_stream(s))
        return -EINVAL;
    return ring_copy(&s->out, (u32)offset, &data, (u32)size);
}

static void sent(struct socket *s, u32 n) {
    ring_drop(&s->out, n);
    if (!ring_fill(&s->out))
        ring_clear(&s->out);
    socket_has_room(s);
    socket_wake(s, 0);
}

static i64 discard(struct socket *s, u64 n) {
    if (n > ring_fill(&s->out) || !socket_is_stream(s))
        return -EINVAL;
    sent(s, (u32)n);
    return 0;
}

/* -EAGAIN: the sizes are not those of what is first. */
static i64 take_message(struct socket *s, u64 to) {
    struct door_message m;
    if (copy_from_user(&m, to, sizeof m))
        return -EFAULT;
    if (socket_is_stream(s))
        return -EINVAL;
    if (!ring_fill(&s->out))
        return 0;
    struct record r = record_first(&s->out);
    if (m.size != r.size || m.address_size != r.address_size || m.control_size != r.control_size)
        return -EAGAIN;
    struct span address, control, data;
    if (user_span(&address, m.address, r.address_size) || user_span(&control, m.control, r.control_size) || user_span(&data, m.data, r.size))
        return -EFAULT;
    if (ring_copy(&s->out, sizeof r, &address, r.address_size) || ring_copy(&s->out, sizeof r + r.address_size, &control, r.control_size) ||
        ring_copy(&s->out, (u32)sizeof r + r.address_size + r.control_size, &data, r.size))
        return -EFAULT;
    sent(s, record_size(r.address_size, r.control_size, r.size));
    return 1;
}

static i64 set_state(struct socket *s, u64 add, u64 remove, u64 error) {
    if ((add | remove) & ~(u64)STATE_BITS || error > 4095)
        return -EINVAL;
    s->state = (s->state & ~(u32)remove) | (u32)add;
    if (error) {
        s->error = (i32)error;
        s->destinations = 0;
    }
    if (!(s->state & LISTENING))
        socket_refuse_children(s);
    look_at_state(s);
    return 0;
}

static i64 queue_child(struct socket *s, u64 number, u64 address, u64 size) {
    struct socket *child = find(number);
    if (!child || child == s || child->refs > 1 || child->closed || size > SOCKET_ADDRESS_MAX)
        return -EINVAL;
    struct address *a = kmalloc(sizeof *a + size);
    if (!a || copy_from_user(a->bytes, address, size) || s->closed || !socket_queue(s, child)) {
        kfree(a);
        return 0;
    }
    a->size = (u32)size;
    child->peer_name = a;
    child->refs++;
    return 1;
}

i64 door_call(u64 operation, u64 number, u64 x, u64 y, u64 z) {
    if (operation == DOOR_NEW)
        return new_door(number, (u32)x, y, z);
    if (operation == DOOR_CHANGED)
        return take_changes(number, x);
    if (operation == DOOR_MEMORY) {
        streams.limit = number ? number : streams.limit;
        return (i64)streams.held;
    }
    struct socket *s = find(number);
    if (!s)
        return -EBADF;
    switch (operation) {
    case DOOR_DELIVER: return deliver(s, x, y);
    case DOOR_DELIVER_MESSAGE: return deliver_record(s, &s->in, x, CAN_READ);
    case DOOR_DELIVER_ERROR: return deliver_error(s, x);
    case DOOR_NOTIFY_FREE: return notify_free(s, x);
    case DOOR_PEEK: return peek(s, x, y, z);
    case DOOR_TAKE_MESSAGE: return take_message(s, x);
    case DOOR_DISCARD: return discard(s, x);
    case DOOR_SET_STATE: return set_state(s, x, y, z);
    case DOOR_QUEUE_CHILD: return queue_child(s, x, y, z);
    case DOOR_SET_LIMITS:
        s->in.limit = (u32)min_u64(x, LARGEST_RING);
        s->out.limit = (u32)min_u64(y, LARGEST_RING);
        s->backlog = (u32)z;
        socket_has_room(s);
        return notify_free(s, s->notify_free);
    case DOOR_RELEASE: return release_door(s);
    }
    return -ENOSYS;
}
