#include "fs/pipe.h"

#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"

#define PIPE_BUF 4096                           /* writes up to this are not torn (POSIX) */

struct pipe *pipe_new(void) {
    struct pipe *p = kzalloc(sizeof *p);
    if (!p)
        return NULL;
    p->ring.limit = PIPE_CAPACITY;
    p->refs = 1;
    waitqueue_init(&p->readable);
    waitqueue_init(&p->writable);
    return p;
}

void pipe_put(struct pipe *p) {
    if (!p || --p->refs)
        return;
    ring_clear(&p->ring);
    kfree(p);
}

i64 pipe_read(struct pipe *p, struct span *to, bool nonblocking) {
    if (!to->left)
        return 0;
    int error = WAIT_OR_EAGAIN(&p->readable, pipe_fill(p) || !p->writers, nonblocking);
    u32 n = (u32)min_u64(pipe_fill(p), to->left);
    if (error || !n)
        return error;
    if (ring_copy(&p->ring, 0, to, n))
        return -EFAULT;
    ring_drop(&p->ring, n);
    waitqueue_wake(&p->writable, POLLOUT);
    return n;
}

i64 pipe_write(struct pipe *p, struct span *from, bool nonblocking) {
    i64 done = 0;
    while (from->left) {
        u32 need = from->left <= PIPE_BUF && !done ? (u32)from->left : 1;
        if (!p->readers)
            return done ? done : -EPIPE;
        if (ring_room(&p->ring) < need) {
            int error = WAIT_OR_EAGAIN(&p->writable, ring_room(&p->ring) >= need || !p->readers, nonblocking);
            if (error)
                return done ? done : error;
            continue;
        }
        u32 n = (u32)min_u64(from->left, ring_room(&p->ring));
        int error = ring_reserve(&p->ring, n) ? ring_put(&p->ring, from, n) : -ENOMEM;
        if (error)
            return done ? done : error;
        done += n;
        waitqueue_wake(&p->readable, POLLIN);
    }
    return done;
}

static i64 read_end(struct file *f, struct span *to, u64 *position) {
    return pipe_read(f->data, to, file_nonblocking(f));
}

static i64 write_end(struct file *f, struct span *from, u64 *position) {
    i64 n = pipe_write(f->data, from, file_nonblocking(f));
    if (n == -EPIPE)
        signal_thread(current_thread(), SIGPIPE);
    return n;
}

void pipe_close_reader(struct pipe *p) {
    if (!--p->readers)
        waitqueue_wake(&p->writable, POLLERR | POLLOUT);
}

void pipe_close_writer(struct pipe *p) {
    if (!--p->writers)
        waitqueue_wake(&p->readable, POLLHUP | POLLIN);
}

u32 pipe_poll(struct file *f, struct waitqueue *queues[2]) {
    struct pipe *p = f->data;
    u32 events = 0, access = f->flags & O_ACCMODE;
    if (access != O_WRONLY) {
        queues[0] = &p->readable;
        events |= (pipe_fill(p) ? POLLIN | POLLRDNORM : 0) | (p->writers ? 0 : POLLHUP);
    }
    if (access != O_RDONLY) {
        queues[1] = &p->writable;
        events |= (ring_room(&p->ring) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0) | (p->readers ? 0 : POLLERR);
    }
    return events;
}

i64 pipe_ioctl(struct file *f, u32 command, u64 argument) {
    u32 fill = pipe_fill(f->data);
    return command == FIONREAD ? copy_to_user(argument, &fill, sizeof fill) : -ENOTTY;
}

static void release_end(struct file *f) {
    struct pipe *p = f->data;
    u32 access = f->flags & O_ACCMODE;
    if (access != O_WRONLY)
        pipe_close_reader(p);
    if (access != O_RDONLY)
        pipe_close_writer(p);
    if (f->inode && p->refs == 1)
        f->inode->pipe = NULL;                  /* a FIFO forgets its content with its last user */
    pipe_put(p);
}

static const struct file_ops pipe_ops = {
    .name = "pipe", .mode = S_IFIFO, .read = read_end, .write = write_end, .poll = pipe_poll, .ioctl = pipe_ioctl, .release = release_end,
};

int pipe_open(struct file **reader, struct file **writer, u32 flags) {
    struct pipe *p = pipe_new();
    *reader = p ? file_new(&pipe_ops, O_RDONLY | (flags & O_NONBLOCK), p) : NULL;
    *writer = *reader ? file_new(&pipe_ops, O_WRONLY | (flags & O_NONBLOCK), p) : NULL;
    if (!*writer) {
        kfree(*reader);
        pipe_put(p);
        return -ENOMEM;
    }
    p->readers = p->writers = 1;
    p->refs = 2;
    return 0;
}

i64 fifo_open(struct inode *inode, u32 flags, struct file **file) {
    u32 access = flags & O_ACCMODE;
    struct pipe *p = inode->pipe;
    if (access == O_WRONLY && flags & O_NONBLOCK && (!p || !p->readers))
        return -ENXIO;
    if (p)
        p->refs++;
    else if (!(p = inode->pipe = pipe_new()))
        return -ENOMEM;
    struct file *f = file_new(&pipe_ops, flags, p);
    if (!f) {
        if (p->refs == 1)
            inode->pipe = NULL;
        pipe_put(p);
        return -ENOMEM;
    }
    f->inode = inode_get(inode);
    p->readers += access != O_WRONLY;
    p->writers += access != O_RDONLY;
    waitqueue_wake(&p->readable, POLLIN);
    waitqueue_wake(&p->writable, POLLOUT);
    if (!(flags & O_NONBLOCK)) {
        int error = access == O_RDONLY   ? WAIT_UNTIL(&p->readable, p->writers || pipe_fill(p), FOREVER)
                    : access == O_WRONLY ? WAIT_UNTIL(&p->writable, p->readers, FOREVER)
                                         : 0;
        if (error) {
            file_put(f);
            return error;
        }
    }
    *file = f;
    return 0;
}

i64 pipe_size(struct file *f, u64 wanted) {
    struct pipe *p = f->data;
    if (f->ops != &pipe_ops)
        return -EBADF;
    if (!wanted)
        return p->ring.limit;
    if (wanted > 1 << 20)
        return -EPERM;
    u32 size = PAGE_SIZE;
    while (size < wanted)
        size *= 2;
    if (pipe_fill(p) > size)
        return -EBUSY;
    p->ring.limit = size;
    return size;
}
