#include "dev/stdio.h"

#include "core/errno.h"
#include "core/string.h"
#include "dev/console.h"
#include "dev/uart.h"
#include "fs/file.h"

static u8 ring[STDIN_CAPACITY];
static u32 head, tail, consumed;                /* free-running; bytes read since the last credit */
static bool ended;
static struct waitqueue readable = {LIST_INIT(readable.entries)};

void stdin_input(const u8 *bytes, size_t n) {
    for (size_t i = 0; i < n && head - tail < STDIN_CAPACITY; i++)
        ring[head++ % STDIN_CAPACITY] = bytes[i];
    waitqueue_wake(&readable, POLLIN);
}

void stdin_end(void) {
    ended = true;
    waitqueue_wake(&readable, POLLIN | POLLHUP);
}

static i64 stdin_read(struct file *f, struct span *to, u64 *position) {
    if (!to->left)
        return 0;
    if (head == tail && !ended && file_nonblocking(f))
        return -EAGAIN;
    int error = WAIT_UNTIL(&readable, head != tail || ended, FOREVER);
    if (error)
        return error;
    i64 done = 0;
    while (head != tail && to->left) {
        u32 at = tail % STDIN_CAPACITY;
        size_t n = min_u64(min_u64(head - tail, STDIN_CAPACITY - at), to->left);
        if (span_put(to, ring + at, n))
            return done ? done : -EFAULT;
        tail += (u32)n;
        consumed += (u32)n;
        done += (i64)n;
    }
    if (consumed >= STDIN_CAPACITY / 4) {
        console_credit(1, consumed);
        consumed = 0;
    }
    return done;
}

static i64 stream_write(struct file *f, struct span *from, u64 *position) {
    enum console_channel channel = f->data ? CONSOLE_STDERR : CONSOLE_STDOUT;
    i64 done = 0;
    u8 piece[2048];
    while (from->left) {
        size_t n = min_u64(from->left, sizeof piece);
        struct span copy = *from;
        if (span_get(&copy, piece, n))
            return done ? done : -EFAULT;
        size_t sent = console_write(channel, piece, n);
        if (!sent) {
            if (file_nonblocking(f))
                return done ? done : -EAGAIN;
            int error = WAIT_UNTIL(&uart_writable, uart_room() > sizeof piece, FOREVER);
            if (error)
                return done ? done : error;
            continue;
        }
        from->at += sent;
        from->left -= sent;
        done += (i64)sent;
    }
    return done;
}

static u32 stdin_poll(struct file *f, struct waitqueue *queues[2]) {
    queues[0] = &readable;
    return (head != tail ? POLLIN | POLLRDNORM : 0) | (ended ? POLLHUP : 0);
}

static u32 stream_poll(struct file *f, struct waitqueue *queues[2]) {
    queues[0] = &uart_writable;
    return uart_room() > 2048 ? POLLOUT | POLLWRNORM : 0;
}

/* To the program they are pipes, as they are at the host. */
static const struct file_ops stdin_ops = {.name = "pipe", .mode = S_IFIFO, .read = stdin_read, .poll = stdin_poll};
static const struct file_ops stream_ops = {.name = "pipe", .mode = S_IFIFO, .write = stream_write, .poll = stream_poll};

struct file *stdio_open(int fd) {
    if (fd == 0)
        console_credit(1, STDIN_CAPACITY);
    return file_new(fd == 0 ? &stdin_ops : &stream_ops, fd == 0 ? O_RDONLY : O_WRONLY, (void *)(u64)(fd == 2));
}
