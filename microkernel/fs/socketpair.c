#include "fs/socketpair.h"

#include "core/errno.h"
#include "core/thread.h"
#include "fs/pipe.h"
#include "mm/kmalloc.h"

struct end {
    struct pipe *in, *out;
    bool shut_read, shut_write;
    int type;
};

static i64 read_end(struct file *f, struct span *to, u64 *position) { return socket_receive(f, to, false, false); }
static i64 write_end(struct file *f, struct span *from, u64 *position) { return socket_send(f, from, false, false); }

static u32 poll_end(struct file *f, struct waitqueue *queues[2]) {
    struct end *e = f->data;
    queues[0] = &e->in->readable;
    queues[1] = &e->out->writable;
    bool closed = e->shut_read || !e->in->writers;
    u32 events = (pipe_fill(e->in) || closed ? POLLIN | POLLRDNORM : 0) | (closed ? POLLRDHUP : 0);
    if (e->out->capacity - pipe_fill(e->out) >= e->out->capacity / 4 || !e->out->readers)
        events |= POLLOUT | POLLWRNORM;
    if (closed && (e->shut_write || !e->out->readers))
        events |= POLLHUP;
    return events;
}

static i64 ioctl_end(struct file *f, u32 command, u64 argument) {
    struct end *e = f->data;
    u32 fill = pipe_fill(e->in);
    return command == FIONREAD ? copy_to_user(argument, &fill, sizeof fill) : -ENOTTY;
}

static void release_end(struct file *f) {
    struct end *e = f->data;
    if (!e->shut_read)
        pipe_close_reader(e->in);
    if (!e->shut_write)
        pipe_close_writer(e->out);
    pipe_put(e->in);
    pipe_put(e->out);
    kfree(e);
}

static const struct file_ops socket_ops = {
    .name = "socket", .mode = S_IFSOCK, .read = read_end, .write = write_end, .poll = poll_end, .ioctl = ioctl_end, .release = release_end,
};

static struct file *open_end(struct pipe *in, struct pipe *out, int type, u32 flags) {
    struct end *e = kzalloc(sizeof *e);
    struct file *f = e ? file_new(&socket_ops, O_RDWR | flags, e) : NULL;
    if (!f) {
        kfree(e);
        return NULL;
    }
    *e = (struct end){.in = in, .out = out, .type = type};
    in->packets = type != SOCK_STREAM;
    in->capacity = 262144;                      /* net.core.wmem_default is about this */
    in->refs++;
    out->refs++;
    in->readers = 1;
    out->writers = 1;
    return f;
}

int socketpair_open(int type, u32 flags, struct file *ends[2]) {
    struct pipe *a = pipe_new(), *b = pipe_new();
    ends[0] = a && b ? open_end(a, b, type, flags) : NULL;
    ends[1] = ends[0] ? open_end(b, a, type, flags) : NULL;
    pipe_put(a);
    pipe_put(b);
    if (!ends[1] && ends[0])
        file_put(ends[0]);
    return ends[1] ? 0 : -ENOMEM;
}

bool is_socket(const struct file *f) { return f->ops == &socket_ops; }
int socket_type(const struct file *f) { return ((const struct end *)f->data)->type; }
u32 socket_buffer_size(const struct file *f) { return ((const struct end *)f->data)->out->capacity; }

i64 socket_receive(struct file *f, struct span *to, bool nonblocking, bool peek) {
    struct end *e = f->data;
    file_get(f);
    i64 n = e->shut_read ? 0 : pipe_read(e->in, to, nonblocking || file_nonblocking(f), peek);
    file_put(f);
    return n;
}

i64 socket_send(struct file *f, struct span *from, bool nonblocking, bool quiet) {
    struct end *e = f->data;
    file_get(f);
    i64 n = e->shut_write ? -EPIPE : pipe_write(e->out, from, nonblocking || file_nonblocking(f));
    file_put(f);
    if (n == -EPIPE && !quiet)
        signal_thread(current_thread(), SIGPIPE);
    return n;
}

int socket_shutdown(struct file *f, int how) {
    struct end *e = f->data;
    if (how < 0 || how > 2)
        return -EINVAL;
    if (how != 1 && !e->shut_read) {
        e->shut_read = true;
        pipe_close_reader(e->in);
        waitqueue_wake(&e->in->readable, POLLIN | POLLRDHUP);
    }
    if (how != 0 && !e->shut_write) {
        e->shut_write = true;
        pipe_close_writer(e->out);
    }
    return 0;
}
