#include "dev/stdio.h"

#include "core/errno.h"
#include "dev/console.h"
#include "dev/uart.h"
#include "fs/pipe.h"

/* What the host sent. Never grown, since input comes from an interrupt; never closed for reading. */
static u8 ring[STDIN_CAPACITY];
static struct pipe input = {
    .ring = {.bytes = ring, .allocated = STDIN_CAPACITY, .limit = STDIN_CAPACITY}, .readers = 1, .writers = 1, .refs = 1,
    .readable = {LIST_INIT(input.readable.entries)}, .writable = {LIST_INIT(input.writable.entries)},
};

void stdin_input(const u8 *bytes, size_t n) {
    struct span s = kernel_span(bytes, n);
    pipe_write(&input, &s, true);
}

void stdin_end(void) {
    if (input.writers)
        pipe_close_writer(&input);
}

static i64 stdin_read(struct file *f, struct span *to, u64 *position) {
    i64 n = pipe_read(&input, to, file_nonblocking(f));
    if (n > 0)
        console_credit(1, (u32)n);
    return n;
}

/* Room for a piece with its header and what console_write keeps for itself. */
#define PIECE 2048
static bool has_room(void) { return uart_room() >= PIECE + 128; }

static i64 stream_write(struct file *f, struct span *from, u64 *position) {
    i64 done = 0;
    u8 piece[PIECE];
    while (from->left) {
        int error = WAIT_OR_EAGAIN(&uart_writable, has_room(), file_nonblocking(f));
        if (error)
            return done ? done : error;
        size_t n = min_u64(from->left, sizeof piece);
        if (span_get(from, piece, n))
            return done ? done : -EFAULT;
        done += (i64)console_write(f->data ? CONSOLE_STDERR : CONSOLE_STDOUT, piece, n);
    }
    return done;
}

static u32 stream_poll(struct file *f, struct waitqueue *queues[2]) {
    queues[0] = &uart_writable;
    return has_room() ? POLLOUT | POLLWRNORM : 0;
}

/* To the program they are pipes, as they are at the host. */
static const struct file_ops stdin_ops = {.name = "pipe", .mode = S_IFIFO, .read = stdin_read, .poll = pipe_poll, .ioctl = pipe_ioctl};
static const struct file_ops stream_ops = {.name = "pipe", .mode = S_IFIFO, .write = stream_write, .poll = stream_poll};

struct file *stdio_open(int fd) {
    if (fd == 0)
        console_credit(1, STDIN_CAPACITY);
    return file_new(fd == 0 ? &stdin_ops : &stream_ops, fd == 0 ? O_RDONLY : O_WRONLY, fd == 0 ? &input : (void *)(u64)(fd == 2));
}
