/* termios(3), POSIX.1-2017 chapter 11: canonical and raw input, echo, signals, output processing. */
#include "dev/tty.h"

#include "core/clock.h"
#include "core/errno.h"
#include "core/string.h"
#include "dev/console.h"
#include "dev/termios.h"
#include "dev/uart.h"
#include "fs/file.h"
#include "sys/signal.h"

static struct termios tio = {
    .iflag = ICRNL | IXON | BRKINT | IUTF8,
    .oflag = OPOST | ONLCR,
    .cflag = CS8 | CREAD | B38400,
    .lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0},
};

static struct { u16 rows, columns, xpixel, ypixel; } size = {24, 80, 0, 0};

/* Input: [tail, committed) may be read; [committed, head) is the line being edited (canonical mode). */
static u16 ring[TTY_CAPACITY];
#define LINE_END 0x100                          /* on the byte that ends a line */
#define NO_DATA 0x200                           /* with that: an end of file, not to be read */
static u32 head, committed, tail;
static u32 lines;                               /* how many ends of line are in the ring */
static bool literal_next, output_stopped;
static struct waitqueue readable = {LIST_INIT(readable.entries)};

void tty_set_size(u16 columns, u16 rows) {
    size.columns = columns;
    size.rows = rows;
}

/* ---- output ---- */

/* Room in the port for a piece of output as it leaves, with what console_write keeps for itself. */
#define OUTPUT_ROOM 2048

/* Output processing of one byte: the one or two bytes it becomes. */
static size_t process(u8 c, u8 *to) {
    size_t n = 0;
    if (tio.oflag & OPOST && c == '\n' && tio.oflag & ONLCR)
        to[n++] = '\r';
    to[n++] = tio.oflag & OPOST && c == '\r' && tio.oflag & OCRNL ? '\n' : c;
    return n;
}

static void out(u8 c) {
    u8 text[2];
    size_t n = process(c, text);
    if (uart_room() >= 256)
        console_write(CONSOLE_TTY, text, n);
}

/* Echo is lost rather than waited for when the line is blocked. */
static void echo(u8 c) {
    if (!(tio.lflag & ECHO) && !(c == '\n' && tio.lflag & ECHONL))
        return;
    if (c < ' ' && c != '\n' && c != '\t' && tio.lflag & ECHOCTL) {
        out('^');
        c += '@';
    } else if (c == 127 && tio.lflag & ECHOCTL) {
        out('^');
        c = '?';
    }
    out(c);
}

static i64 tty_write(struct file *f, struct span *from, u64 *position) {
    i64 done = 0;
    u8 piece[512], text[2 * sizeof piece];
    while (from->left) {
        int error = WAIT_OR_EAGAIN(&uart_writable, uart_room() >= OUTPUT_ROOM && !output_stopped, file_nonblocking(f));
        if (error)
            return done ? done : error;
        size_t n = min_u64(from->left, sizeof piece), length = 0;
        if (span_get(from, piece, n))
            return done ? done : -EFAULT;
        for (size_t k = 0; k < n; k++)
            length += process(piece[k], text + length);
        console_write(CONSOLE_TTY, text, length);
        done += (i64)n;
    }
    return done;
}

/* ---- input ---- */

#define LINE_LIMIT 4095

/* Bytes of input that no longer take up room. */
static void gone(u32 n) { console_credit(2, n); }

/* False if there is no room: the byte is lost, and its credit goes back to the host. */
static bool store(u32 c) {
    if (head - tail >= TTY_CAPACITY) {
        gone(1);
        return false;
    }
    ring[head++ % TTY_CAPACITY] = (u16)c;
    lines += (c & LINE_END) != 0;
    if (!console_is_link() && head - tail > TTY_CAPACITY - 256)
        uart_accept(false);
    return true;
}

static void commit(void) {
    committed = head;
    waitqueue_wake(&readable, POLLIN);
}

static void erase_one(void) {
    if (head == committed)
        return;
    u8 c;
    do {
        c = (u8)ring[--head % TTY_CAPACITY];
        gone(1);
    } while (tio.iflag & IUTF8 && (c & 0xc0) == 0x80 && head != committed);
    if (!(tio.lflag & ECHO))
        return;
    if (!(tio.lflag & ECHOE)) {
        echo(tio.cc[VERASE]);
        return;
    }
    u32 width = (c < ' ' || c == 127) && tio.lflag & ECHOCTL ? 2 : 1;
    while (width--)
        out('\b'), out(' '), out('\b');
}

static void erase_line(void) {
    if (tio.lflag & ECHOKE) {
        while (head != committed)
            erase_one();
        return;
    }
    gone(head - committed);
    head = committed;
    echo(tio.cc[VKILL]);
    if (tio.lflag & ECHOK)
        out('\n');
}

static bool word_byte(u8 c) { return c != ' ' && c != '\t'; }

static void erase_word(void) {
    while (head != committed && !word_byte(ring[(head - 1) % TTY_CAPACITY]))
        erase_one();
    while (head != committed && word_byte(ring[(head - 1) % TTY_CAPACITY]))
        erase_one();
}

static void flush_input(void) {
    gone(head - tail);
    head = committed = tail;
    lines = 0;
    uart_accept(true);
}

static bool is(u8 c, int which) { return c && c == tio.cc[which]; }

static bool signal_key(u8 c) {
    int signal = is(c, VINTR) ? SIGINT : is(c, VQUIT) ? SIGQUIT : is(c, VSUSP) ? SIGTSTP : 0;
    if (!signal)
        return false;
    if (!(tio.lflag & NOFLSH))
        flush_input();
    gone(1);
    output_stopped = false;
    echo(c);
    signal_process(signal);
    return true;
}

static void reprint(void) {
    echo(tio.cc[VREPRINT]);
    out('\n');
    for (u32 i = committed; i != head; i++)
        echo((u8)ring[i % TTY_CAPACITY]);
}

static void input_byte(u8 c) {
    if (literal_next) {
        literal_next = false;
        store(c);
        echo(c);
        if (!(tio.lflag & ICANON))
            commit();
        return;
    }
    if (tio.iflag & ISTRIP)
        c &= 0x7f;
    if (tio.lflag & ISIG && signal_key(c))
        return;
    if (tio.iflag & IXON && (is(c, VSTOP) || is(c, VSTART))) {
        output_stopped = is(c, VSTOP);
        gone(1);
        if (!output_stopped)
            waitqueue_wake(&uart_writable, POLLOUT);
        return;
    }
    if (c == '\r') {
        if (tio.iflag & IGNCR) {
            gone(1);
            return;
        }
        if (tio.iflag & ICRNL)
            c = '\n';
    } else if (c == '\n' && tio.iflag & INLCR) {
        c = '\r';
    }
    if (!(tio.lflag & ICANON)) {
        echo(c);
        store(c == '\n' ? c | LINE_END : c);
        commit();
        return;
    }
    bool extended = tio.lflag & IEXTEN;
    if (is(c, VERASE) || is(c, VKILL) || (extended && (is(c, VWERASE) || is(c, VREPRINT) || is(c, VLNEXT)))) {
        gone(1);
        if (is(c, VERASE))
            erase_one();
        else if (is(c, VKILL))
            erase_line();
        else if (is(c, VWERASE))
            erase_word();
        else if (is(c, VREPRINT))
            reprint();
        else
            literal_next = true;
        return;
    }
    bool eof = is(c, VEOF), end = eof || c == '\n' || is(c, VEOL) || (extended && is(c, VEOL2));
    /* A line longer than Linux takes, too, loses its middle but keeps its end. */
    if (head - committed >= LINE_LIMIT && !end) {
        gone(1);
        return;
    }
    if (!store(c | (end ? LINE_END : 0u) | (eof ? NO_DATA : 0u)))
        return;
    if (!eof)
        echo(c);
    if (end)
        commit();
}

void tty_input(const u8 *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        input_byte(bytes[i]);
}

static bool readable_now(void) { return tio.lflag & ICANON ? lines > 0 : committed != tail; }

/* What is there, at most a line if asked for one. */
static i64 take(struct span *to, bool line) {
    i64 done = 0;
    for (bool end = false; to->left && tail != committed && !(line && end);) {
        u16 c = ring[tail % TTY_CAPACITY];
        u8 byte = (u8)c;
        if (!(c & NO_DATA) && span_put(to, &byte, 1))
            return done ? done : -EFAULT;
        end = c & LINE_END;
        lines -= end;
        done += !(c & NO_DATA);
        tail++;
        gone(1);
    }
    return done;
}

/* VMIN and VTIME: POSIX 11.1.7, cases A to D. */
static i64 read_raw(struct file *f, struct span *to) {
    u32 wanted = (u32)min_u64(tio.cc[VMIN], to->left);
    u64 tenths = tio.cc[VTIME], deadline = FOREVER;
    i64 done = 0;
    if (!tio.cc[VMIN] && tenths)
        deadline = clock_now() + tenths * 100 * NS_PER_MS;
    for (;;) {
        i64 n = take(to, false);
        if (n < 0)
            return done ? done : n;
        done += n;
        if (done >= (i64)wanted && (done || (!tio.cc[VMIN] && !tenths)))
            return done;
        if (file_nonblocking(f))
            return done ? done : -EAGAIN;
        if (tio.cc[VMIN] && tenths && done)
            deadline = clock_now() + tenths * 100 * NS_PER_MS;
        int error = WAIT_UNTIL(&readable, committed != tail, deadline);
        if (error == -ETIMEDOUT)
            return done;
        if (error)
            return done ? done : error;
    }
}

static i64 tty_read(struct file *f, struct span *to, u64 *position) {
    if (!to->left)
        return 0;
    /* Another reader may be quicker, or change the mode. */
    while (tio.lflag & ICANON && !lines) {
        int error = WAIT_OR_EAGAIN(&readable, readable_now(), file_nonblocking(f));
        if (error)
            return error;
    }
    i64 n = tio.lflag & ICANON ? take(to, true) : read_raw(f, to);
    uart_accept(true);
    return n;
}

static u32 tty_poll(struct file *f, struct waitqueue *queues[2]) {
    queues[0] = &readable;
    queues[1] = &uart_writable;
    return (readable_now() ? POLLIN | POLLRDNORM : 0) | (uart_room() > 2048 ? POLLOUT | POLLWRNORM : 0);
}

static i64 set_termios(u64 argument, bool flush) {
    struct termios new;
    if (copy_from_user(&new, argument, sizeof new))
        return -EFAULT;
    u32 old = tio.lflag;
    if (flush)
        flush_input();
    tio = new;
    if (old & ICANON && !(tio.lflag & ICANON))
        commit();                               /* the unfinished line can be read, too */
    return 0;
}

static i64 tty_ioctl(struct file *f, u32 command, u64 argument) {
    u32 value;
    switch (command) {
    case TCGETS:
        return copy_to_user(argument, &tio, sizeof tio);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_termios(argument, command == TCSETSF);
    case TIOCGWINSZ:
        return copy_to_user(argument, &size, sizeof size);
    case TIOCSWINSZ: {
        __typeof__(size) before = size;
        if (copy_from_user(&size, argument, sizeof size))
            return -EFAULT;
        if (memcmp(&before, &size, sizeof size))
            signal_process(SIGWINCH);
        return 0;
    }
    case FIONREAD:
        value = tio.lflag & ICANON && !lines ? 0 : committed - tail;
        return copy_to_user(argument, &value, sizeof value);
    case TIOCOUTQ:
    case TIOCGPGRP:
    case TIOCGSID:
        value = command != TIOCOUTQ;            /* nothing waits to go out; the one process */
        return copy_to_user(argument, &value, sizeof value);
    case TIOCSPGRP:
    case TIOCSCTTY:
    case TCSBRK:
    case TCSBRKP:
        return 0;
    case TCXONC:
        if (argument <= 1) {
            output_stopped = argument == 0;
            waitqueue_wake(&uart_writable, POLLOUT);
        }
        return argument <= 3 ? 0 : -EINVAL;
    case TCFLSH:
        if (argument > 2)
            return -EINVAL;
        if (argument != 1)
            flush_input();
        return 0;
    }
    return -ENOTTY;
}

static void tty_stat(struct file *f, struct stat *st) {
    st->mode = S_IFCHR | 0620;
    st->rdev = 5 << 8 | 1;                      /* /dev/console */
}

static const struct file_ops tty_ops = {
    .name = "/dev/console", .mode = S_IFCHR, .read = tty_read, .write = tty_write, .poll = tty_poll, .ioctl = tty_ioctl, .stat = tty_stat,
};

struct file *tty_open(u32 flags) { return file_new(&tty_ops, flags, NULL); }
