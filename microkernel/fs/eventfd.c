#include "fs/eventfd.h"

#include "core/errno.h"
#include "core/timer.h"
#include "mm/kmalloc.h"

struct counter {
    u64 value;
    bool semaphore;
    struct waitqueue queue;
    /* timerfd: the value counts expirations */
    struct timer timer;
    u64 interval;
    bool wall_clock;
};
#define MAXIMUM (UINT64_MAX - 1)

static i64 read_counter(struct file *f, struct span *to, u64 *position) {
    struct counter *c = f->data;
    if (to->left < 8)
        return -EINVAL;
    int error = WAIT_OR_EAGAIN(&c->queue, c->value, file_nonblocking(f));
    if (error)
        return error;
    u64 v = c->semaphore ? 1 : c->value;
    if (span_put(to, &v, 8))
        return -EFAULT;
    c->value -= v;
    waitqueue_wake(&c->queue, POLLOUT);
    return 8;
}

static i64 write_eventfd(struct file *f, struct span *from, u64 *position) {
    struct counter *c = f->data;
    u64 v;
    if (from->left < 8)
        return -EINVAL;
    if (span_get(from, &v, 8))
        return -EFAULT;
    if (v > MAXIMUM)
        return -EINVAL;
    int error = WAIT_OR_EAGAIN(&c->queue, c->value <= MAXIMUM - v, file_nonblocking(f));
    if (error)
        return error;
    c->value += v;
    waitqueue_wake(&c->queue, POLLIN);
    return 8;
}

static u32 poll_counter(struct file *f, struct waitqueue *queues[2]) {
    struct counter *c = f->data;
    queues[0] = &c->queue;
    return (c->value ? POLLIN | POLLRDNORM : 0) | (f->ops->write && c->value < MAXIMUM ? POLLOUT | POLLWRNORM : 0);
}

static void release_counter(struct file *f) {
    struct counter *c = f->data;
    timer_cancel(&c->timer);
    kfree(c);
}

static const struct file_ops eventfd_ops = {
    .name = "anon_inode:[eventfd]", .read = read_counter, .write = write_eventfd, .poll = poll_counter, .release = release_counter,
};
static const struct file_ops timerfd_ops = {
    .name = "anon_inode:[timerfd]", .read = read_counter, .poll = poll_counter, .release = release_counter,
};

static struct file *open_counter(const struct file_ops *ops, u32 flags, struct counter **counter) {
    struct counter *c = kzalloc(sizeof *c);
    struct file *f = c ? file_new(ops, O_RDWR | flags, c) : NULL;
    if (!f) {
        kfree(c);
        return NULL;
    }
    waitqueue_init(&c->queue);
    *counter = c;
    return f;
}

struct file *eventfd_open(u64 initial, bool semaphore, u32 flags) {
    struct counter *c;
    struct file *f = open_counter(&eventfd_ops, flags, &c);
    if (f) {
        c->value = initial;
        c->semaphore = semaphore;
    }
    return f;
}

static void expire(struct timer *t) {
    struct counter *c = container_of(t, struct counter, timer);
    c->value++;
    if (c->interval) {
        u64 now = clock_now(), late = now > t->deadline ? (now - t->deadline) / c->interval : 0;
        c->value += late;
        timer_arm(t, max_u64(t->deadline + (late + 1) * c->interval, now + 50 * NS_PER_US));
    }
    waitqueue_wake(&c->queue, POLLIN);
}

struct file *timerfd_open(bool wall_clock, u32 flags) {
    struct counter *c;
    struct file *f = open_counter(&timerfd_ops, flags, &c);
    if (f) {
        c->timer.fire = expire;
        c->wall_clock = wall_clock;
    }
    return f;
}

i64 timerfd_get(struct file *f, struct itimerspec *now) {
    if (f->ops != &timerfd_ops)
        return -EINVAL;
    struct counter *c = f->data;
    u64 t = clock_now();
    now->interval = timespec_of((i64)c->interval);
    now->value = timespec_of(!c->timer.armed ? 0 : c->timer.deadline > t ? (i64)(c->timer.deadline - t) : 1);
    return 0;
}

bool timerfd_is_wall(const struct file *f) { return ((const struct counter *)f->data)->wall_clock; }

void timerfd_set(struct file *f, u64 deadline, u64 interval) {
    struct counter *c = f->data;
    timer_cancel(&c->timer);
    c->value = 0;
    c->interval = interval;
    if (deadline)
        timer_arm(&c->timer, deadline);
}
