#include "fs/file.h"

#include "core/errno.h"
#include "core/string.h"
#include "fs/epoll.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "sys/request.h"

enum { SERVICES_RESERVE = 64 };

struct slot {
    struct file *file;
    bool close_on_exec;
};
static struct slot *slots;
static int capacity, lowest_free;
static u64 next_unique = 1000000;
u32 fd_limit = 1024;

struct file *file_new(const struct file_ops *ops, u32 flags, void *data) {
    struct file *f = kzalloc(sizeof *f);
    if (!f)
        return NULL;
    f->ops = ops;
    f->refs = 1;
    f->flags = flags;
    f->data = data;
    f->unique = next_unique++;
    list_init(&f->watchers);
    return f;
}

void file_put(struct file *f) {
    if (--f->refs)
        return;
    epoll_forget_file(f);
    if (f->ops->release)
        f->ops->release(f);
    if (f->inode)
        inode_put(f->inode);
    kfree(f);
}

struct file *fd_file(int fd) { return fd >= 0 && fd < capacity ? slots[fd].file : NULL; }

static bool grow(int fd) {
    if (fd < capacity)
        return true;
    int wanted = capacity ? capacity : 64;
    while (wanted <= fd)
        wanted *= 2;
    struct slot *bigger = kzalloc((size_t)wanted * sizeof *slots);
    if (!bigger)
        return false;
    if (slots)
        memcpy(bigger, slots, (size_t)capacity * sizeof *slots);
    kfree(slots);
    slots = bigger;
    capacity = wanted;
    return true;
}

/* Above the limit there is room for the services thread: it serves, and imports what it needs for that,
   when the program has used up its own descriptors. */
static int limit_of_caller(void) {
    return (int)fd_limit + (services_thread && current_thread() == services_thread ? SERVICES_RESERVE : 0);
}

int fd_room(void) {
    int fd = lowest_free;
    while (fd < capacity && slots[fd].file)
        fd++;
    return fd >= limit_of_caller() ? -EMFILE : grow(fd) ? 0 : -ENOMEM;
}

int fd_install(struct file *f, int from, bool close_on_exec) {
    int fd = from > lowest_free ? from : lowest_free;
    while (fd < capacity && slots[fd].file)
        fd++;
    int limit = limit_of_caller();
    if (fd >= limit || !grow(fd)) {
        file_put(f);
        return fd >= limit ? -EMFILE : -ENOMEM;
    }
    slots[fd] = (struct slot){f, close_on_exec};
    if (from <= lowest_free)
        lowest_free = fd + 1;
    return fd;
}

int fd_install_at(struct file *f, int fd, bool close_on_exec) {
    if (fd < 0 || fd >= (int)fd_limit || !grow(fd)) {
        file_put(f);
        return fd < 0 || fd >= (int)fd_limit ? -EBADF : -ENOMEM;
    }
    struct file *old = slots[fd].file;
    slots[fd] = (struct slot){f, close_on_exec};
    if (old)
        file_put(old);
    return fd;
}

int fd_close(int fd) {
    struct file *f = fd_file(fd);
    if (!f)
        return -EBADF;
    slots[fd].file = NULL;
    if (fd < lowest_free)
        lowest_free = fd;
    file_put(f);
    return 0;
}

i64 fd_install_pair(struct file *const files[2], bool close_on_exec, u64 to) {
    i32 fds[2];
    fds[0] = fd_install(files[0], 0, close_on_exec);
    if (fds[0] < 0) {
        file_put(files[1]);
        return fds[0];
    }
    fds[1] = fd_install(files[1], 0, close_on_exec);
    i64 error = fds[1] < 0 ? fds[1] : copy_to_user(to, fds, sizeof fds);
    if (error) {
        fd_close(fds[0]);
        fd_close(fds[1]);
    }
    return error;
}

bool fd_close_on_exec(int fd) { return slots[fd].close_on_exec; }
void fd_set_close_on_exec(int fd, bool on) { slots[fd].close_on_exec = on; }

static inline i64 move(struct file *f, u32 refused, i64 (*how)(struct file *f, struct span *span, u64 *position), struct span *span, u64 *position) {
    if ((f->flags & O_ACCMODE) == refused || f->flags & O_PATH)
        return -EBADF;
    if (!how)
        return f->inode && is_directory(f->inode) ? -EISDIR : -EINVAL;
    file_get(f);
    i64 n = how(f, span, position);
    file_put(f);
    return n;
}

i64 file_read(struct file *f, struct span *to, u64 *position) { return move(f, O_WRONLY, f->ops->read, to, position); }
i64 file_write(struct file *f, struct span *from, u64 *position) { return move(f, O_RDONLY, f->ops->write, from, position); }

u32 file_poll(struct file *f, struct waitqueue *queues[2]) {
    queues[0] = queues[1] = NULL;
    return f->ops->poll ? f->ops->poll(f, queues) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

void file_stat(struct file *f, struct stat *st) {
    memset(st, 0, sizeof *st);
    if (f->inode) {
        inode_stat(f->inode, st);
        return;
    }
    st->dev = 13;                               /* anonymous files */
    st->ino = f->unique;
    st->nlink = 1;
    st->mode = f->ops->mode | 0600;
    st->blksize = 4096;
    if (f->ops->stat)
        f->ops->stat(f, st);
}
