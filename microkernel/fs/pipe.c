#include "fs/pipe.h"

#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"

#define PIPE_BUF 4096                           /* writes up to this are not torn (POSIX) */
#define FIRST_ALLOCATED 2048                    /* the ring grows to `capacity` when it fills */

struct pipe *pipe_new(void) {
    struct pipe *p = kzalloc(sizeof *p);
    if (!p)
        return NULL;
    p->capacity = PIPE_CAPACITY;
    p->refs = 1;
    waitqueue_init(&p->readable);
    waitqueue_init(&p->writable);
    return p;
}

void pipe_put(struct pipe *p) {
    if (!p || --p->refs)
        return;
    kfree(p->ring);
    kfree(p);
}

/* Doubles the ring (its content straightened); false without memory. */
static bool grow(struct pipe *p) {
    u32 wanted = p->allocated ? p->allocated * 2 : FIRST_ALLOCATED;
    u8 *bigger = kmalloc(wanted);
    if (!bigger)
        return false;
    u32 fill = pipe_fill(p);
    for (u32 i = 0; i < fill; i++)
        bigger[i] = p->ring[(p->tail + i) & (p->allocated - 1)];
    kfree(p->ring);
    p->ring = bigger;
    p->allocated = wanted;
    p->tail = 0;
    p->head = fill;
    return true;
}

/* Makes room for n bytes if the capacity allows. */
static bool reserve(struct pipe *p, u32 n) {
    if (pipe_fill(p) + n > p->capacity)
        return false;
    while (pipe_fill(p) + n > p->allocated)
        if (!grow(p))
            return false;
    return true;
}

/* Moves n bytes, which are there or have room, between the ring and the caller. The copy is short enough
 * not to be preempted: another thread could replace the ring meanwhile. */
#define MOVE_LIMIT 65536
static int ring_move(struct pipe *p, struct span *span, u32 n, bool in) {
    u32 *position = in ? &p->head : &p->tail, start = *position;
    while (n) {
        u32 at = *position & (p->allocated - 1), piece = (u32)min_u64(min_u64(n, MOVE_LIMIT), p->allocated - at);
        if (in ? span_get(span, p->ring + at, piece) : span_put(span, p->ring + at, piece)) {
            *position = start;                  /* a bad pointer moves nothing */
            return -EFAULT;
        }
        *position += piece;
        n -= piece;
    }
    return 0;
}

static int ring_put(struct pipe *p, struct span *from, u32 n) { return ring_move(p, from, n, true); }
static int ring_get(struct pipe *p, struct span *to, u32 n) { return ring_move(p, to, n, false); }

/* One message: its length, then its bytes. */
static i64 read_packet(struct pipe *p, struct span *to) {
    u32 length;
    struct span s = kernel_span(&length, sizeof length);
    ring_get(p, &s, sizeof length);
    u32 n = (u32)min_u64(length, to->left), end = p->tail + length;
    int error = ring_get(p, to, n);
    p->tail = end;                              /* what does not fit is lost, as for datagrams */
    return error ? error : (i64)n;
}

i64 pipe_read(struct pipe *p, struct span *to, bool nonblocking, bool peek) {
    if (!to->left && !p->packets)
        return 0;
    int error = WAIT_OR_EAGAIN(&p->readable, pipe_fill(p) || !p->writers || !p->readers, nonblocking);
    if (error || !pipe_fill(p))
        return error;
    i64 n;
    u32 tail = p->tail;
    if (p->packets) {
        n = read_packet(p, to);
    } else {
        n = (i64)min_u64(pipe_fill(p), to->left);
        if (ring_get(p, to, (u32)n))
            return -EFAULT;
    }
    if (peek)
        p->tail = tail;
    else
        waitqueue_wake(&p->writable, POLLOUT);
    return n;
}

i64 pipe_write(struct pipe *p, struct span *from, bool nonblocking) {
    u32 length = (u32)from->left, header = p->packets ? sizeof length : 0;
    i64 done = 0;
    if (p->packets && from->left + header > p->capacity)
        return -EMSGSIZE;
    while (from->left || p->packets) {          /* a message may be empty */
        u32 room = p->capacity - pipe_fill(p), need = p->packets ? length + header : from->left <= PIPE_BUF && !done ? (u32)from->left : 1;
        if (!p->readers)
            return done ? done : -EPIPE;
        if (room < need) {
            int error = WAIT_OR_EAGAIN(&p->writable, p->capacity - pipe_fill(p) >= need || !p->readers, nonblocking);
            if (error)
                return done ? done : error;
            continue;
        }
        u32 start = p->head, n = (u32)min_u64(from->left, room - header);
        if (!reserve(p, n + header))
            return done ? done : -ENOMEM;
        if (header) {
            struct span s = kernel_span(&length, header);
            ring_put(p, &s, header);
        }
        if (ring_put(p, from, n)) {
            p->head = start;
            return done ? done : -EFAULT;
        }
        done += n;
        waitqueue_wake(&p->readable, POLLIN);
        if (p->packets)
            break;
    }
    return done;
}

void pipe_close_reader(struct pipe *p) {
    if (!--p->readers)
        waitqueue_wake(&p->writable, POLLERR | POLLOUT);
}

void pipe_close_writer(struct pipe *p) {
    if (!--p->writers)
        waitqueue_wake(&p->readable, POLLHUP | POLLIN);
}

/* ---- as open files ---- */

static i64 read_end(struct file *f, struct span *to, u64 *position) {
    return pipe_read(f->data, to, file_nonblocking(f), false);
}

static i64 write_end(struct file *f, struct span *from, u64 *position) {
    i64 n = pipe_write(f->data, from, file_nonblocking(f));
    if (n == -EPIPE)
        signal_thread(current_thread(), SIGPIPE);
    return n;
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
        events |= (p->capacity - pipe_fill(p) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0) | (p->readers ? 0 : POLLERR);
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
        return p->capacity;
    if (wanted > 1 << 20)
        return -EPERM;
    u32 size = PAGE_SIZE;
    while (size < wanted)
        size *= 2;
    if (pipe_fill(p) > size)
        return -EBUSY;
    p->capacity = size;
    return size;
}
