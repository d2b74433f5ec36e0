#include "fs/epoll.h"

#include "core/errno.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"

enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL, EPOLL_CTL_MOD };
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define EPOLL_ALWAYS (POLLERR | POLLHUP)
#define EPOLL_DEPTH 5

struct epoll_event {
    u32 events;
    u64 data;
} __attribute__((packed));

struct epoll {
    struct list items;                          /* all registrations */
    struct list ready;                          /* those that may have events */
    struct waitqueue readable;
    struct file *file;
};

struct item {
    struct list in_epoll, in_ready, in_file;
    struct wait_entry entries[2];
    struct epoll *epoll;
    struct file *file;
    int fd;
    struct epoll_event event;
};

static const struct file_ops epoll_ops;

static void make_ready(struct item *i) {
    if (list_empty(&i->in_ready))
        list_append(&i->epoll->ready, &i->in_ready);
    waitqueue_wake(&i->epoll->readable, POLLIN);
}

static void woken(struct item *i, u32 events) {
    /* A cause that nobody asked for would only make the waiter look in vain. */
    if (events & (i->event.events | EPOLL_ALWAYS))
        make_ready(i);
}
static void woken_first(struct wait_entry *e, u32 events) { woken(container_of(e, struct item, entries[0]), events); }
static void woken_second(struct wait_entry *e, u32 events) { woken(container_of(e, struct item, entries[1]), events); }

/* Registers on the file's queues and looks at its state once. */
static void attach(struct item *i) {
    struct waitqueue *queues[2];
    u32 events = file_poll(i->file, queues);
    for (int k = 0; k < 2; k++)
        if (queues[k] && list_empty(&i->entries[k].link))
            waitqueue_add(queues[k], &i->entries[k]);
    if (events & (i->event.events | EPOLL_ALWAYS))
        make_ready(i);
}

static void drop(struct item *i) {
    for (int k = 0; k < 2; k++)
        list_remove(&i->entries[k].link);
    list_remove(&i->in_epoll);
    list_remove(&i->in_ready);
    list_remove(&i->in_file);
    kfree(i);
}

void epoll_forget_file(struct file *f) {
    list_for_safe(l, &f->watchers)
        drop(list_item(l, struct item, in_file));
}

static void release(struct file *f) {
    struct epoll *e = f->data;
    list_for_safe(l, &e->items)
        drop(list_item(l, struct item, in_epoll));
    kfree(e);
}

struct file *epoll_open(u32 flags) {
    struct epoll *e = kzalloc(sizeof *e);
    if (!e)
        return NULL;
    list_init(&e->items);
    list_init(&e->ready);
    waitqueue_init(&e->readable);
    struct file *f = e->file = file_new(&epoll_ops, O_RDWR | flags, e);
    if (!f)
        kfree(e);
    return f;
}

/* How many epoll files hang below this one, one under the other, itself counted: EPOLL_DEPTH + 1 stands for
 * too many, and for `top` among them, which would make a ring. */
static int depth_below(const struct file *f, const struct file *top, int limit) {
    if (f == top)
        return EPOLL_DEPTH + 1;
    if (f->ops != &epoll_ops || limit < 0)
        return 0;
    int deepest = 0;
    const struct epoll *e = f->data;
    list_for(l, &e->items) {
        int d = depth_below(list_item(l, struct item, in_epoll)->file, top, limit - 1);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + 1;
}

/* The same upwards: those that watch this one. */
static int depth_above(const struct file *f, int limit) {
    if (limit < 0)
        return 0;
    int highest = 0;
    list_for(l, &f->watchers) {
        int d = depth_above(list_item(l, struct item, in_file)->epoll->file, limit - 1);
        highest = d > highest ? d : highest;
    }
    return highest + 1;
}

i64 epoll_control(struct file *f, int operation, int fd, struct file *target, u64 argument) {
    struct epoll_event event = {0};
    if (f->ops != &epoll_ops || f == target)
        return -EINVAL;
    if (operation != EPOLL_CTL_DEL && copy_from_user(&event, argument, sizeof event))
        return -EFAULT;
    if (!target->ops->poll)
        return -EPERM;                          /* regular files and directories are always ready */
    struct epoll *e = f->data;
    struct item *found = NULL;
    list_for(l, &target->watchers) {
        struct item *i = list_item(l, struct item, in_file);
        if (i->epoll == e && i->fd == fd)
            found = i;
    }
    switch (operation) {
    case EPOLL_CTL_ADD:
        if (found)
            return -EEXIST;
        if (target->ops == &epoll_ops && depth_above(f, EPOLL_DEPTH) + depth_below(target, f, EPOLL_DEPTH) > EPOLL_DEPTH)
            return -ELOOP;
        if (!(found = kzalloc(sizeof *found)))
            return -ENOMEM;
        *found = (struct item){.epoll = e, .file = target, .fd = fd, .event = event};
        found->entries[0].wake = woken_first;
        found->entries[1].wake = woken_second;
        list_init(&found->entries[0].link);
        list_init(&found->entries[1].link);
        list_init(&found->in_ready);
        list_append(&e->items, &found->in_epoll);
        list_append(&target->watchers, &found->in_file);
        attach(found);
        return 0;
    case EPOLL_CTL_MOD:
        if (!found)
            return -ENOENT;
        found->event = event;
        attach(found);
        return 0;
    case EPOLL_CTL_DEL:
        if (!found)
            return -ENOENT;
        drop(found);
        return 0;
    }
    return -EINVAL;
}

static i64 collect(struct epoll *e, u64 to, int limit) {
    struct list again = LIST_INIT(again);
    i64 n = 0;
    i64 error = 0;
    while (!list_empty(&e->ready) && n < limit && !error) {
        struct item *i = list_first(&e->ready, struct item, in_ready);
        list_remove(&i->in_ready);
        struct waitqueue *queues[2];
        u32 wanted = i->event.events, events = file_poll(i->file, queues) & (wanted | EPOLL_ALWAYS);
        if (!events || !(wanted & ~(EPOLLET | EPOLLONESHOT)))
            continue;
        struct epoll_event out = {events, i->event.data};
        if (copy_to_user(to + (u64)n * sizeof out, &out, sizeof out)) {
            error = -EFAULT;
            list_append(&again, &i->in_ready);
            break;
        }
        n++;
        if (wanted & EPOLLONESHOT)
            i->event.events &= EPOLLET | EPOLLONESHOT;
        else if (!(wanted & EPOLLET))
            list_append(&again, &i->in_ready);  /* level-triggered: look again next time */
    }
    list_for_safe(l, &again) {
        list_remove(l);
        list_append(&e->ready, l);
    }
    return n ? n : error;
}

i64 epoll_wait_events(struct file *f, u64 events, int limit, u64 deadline) {
    if (f->ops != &epoll_ops || limit <= 0)
        return -EINVAL;
    if (!user_range(events, (u64)limit * sizeof(struct epoll_event)))
        return -EFAULT;
    struct epoll *e = f->data;
    file_get(f);
    i64 n;
    doors_look();
    for (;;) {
        n = collect(e, events, limit);
        if (n || !deadline)
            break;
        int error = WAIT_UNTIL(&e->readable, !list_empty(&e->ready), deadline);
        if (error) {
            n = error == -ETIMEDOUT ? 0 : -EINTR;
            break;
        }
    }
    file_put(f);
    return n;
}

static u32 poll(struct file *f, struct waitqueue *queues[2]) {
    struct epoll *e = f->data;
    queues[0] = &e->readable;
    list_for(l, &e->ready) {
        struct item *i = list_item(l, struct item, in_ready);
        struct waitqueue *ignored[2];
        if (file_poll(i->file, ignored) & (i->event.events | EPOLL_ALWAYS))
            return POLLIN | POLLRDNORM;
    }
    return 0;
}

static const struct file_ops epoll_ops = {.name = "anon_inode:[eventpoll]", .mode = 0, .poll = poll, .release = release};
