#include "core/log.h"

#include "core/clock.h"
#include "core/string.h"
#include "dev/console.h"

int log_show_level = LOG_ERROR;
void (*log_follower)(void);

/* The last messages, as one endless stream of bytes. */
#define KEPT 16384
static char kept[KEPT];
static u64 written, oldest;                     /* positions in the stream; `oldest` is the start of a record */

static void keep(char byte) {
    if (written - oldest == KEPT)
        while (kept[oldest++ % KEPT] != '\n')
            ;
    kept[written++ % KEPT] = byte;
}

static void keep_line(enum log_level level, const char *line, size_t n) {
    keep('<');
    keep((char)('0' + level));
    keep('>');
    for (size_t k = 0; k < n; k++)
        keep(line[k] == '\n' ? ' ' : line[k]);
    keep('\n');
}

size_t log_read(u64 *position, char *to, size_t size) {
    u64 from = max_u64(min_u64(*position, written), oldest), end = from, stop = from + min_u64(written - from, size);
    for (u64 k = from; k < stop; k++) {
        to[k - from] = kept[k % KEPT];
        if (kept[k % KEPT] == '\n')
            end = k + 1;
    }
    *position = end;
    return end - from;
}

void log_write(enum log_level level, const char *format, ...) {
    char line[256];
    u64 us = clock_now() / 1000;
    size_t n = format_text(line, sizeof line, "[%5u.%06u] ", (u32)(us / 1000000), (u32)(us % 1000000));
    va_list args;
    va_start(args, format);
    n += format_text_v(line + n, sizeof line - n, format, args);
    va_end(args);
    n = min_u64(n, sizeof line - 1);
    keep_line(level, line, n);
    void (*follower)(void) = log_follower;
    log_follower = NULL;
    if (follower)
        follower();
    if ((int)level <= log_show_level)
        console_log(line, n);
}

struct out {
    char *to;
    size_t size, length;
};

static void put(struct out *o, char c) {
    if (o->length + 1 < o->size)
        o->to[o->length] = c;
    o->length++;
}

static void put_padded(struct out *o, const char *s, size_t n, int width, char pad) {
    for (size_t fill = n; width > 0 && fill < (size_t)width; fill++)
        put(o, pad);
    for (size_t i = 0; i < n; i++)
        put(o, s[i]);
}

static void put_number(struct out *o, u64 v, bool negative, unsigned base, int width, char pad) {
    char digits[24];
    size_t n = sizeof digits;
    do
        digits[--n] = "0123456789abcdef"[v % base];
    while (v /= base);
    if (negative) {
        if (pad == '0')
            put(o, '-'), width--;
        else
            digits[--n] = '-';
    }
    put_padded(o, digits + n, sizeof digits - n, width, pad);
}

size_t format_text_v(char *to, size_t size, const char *f, va_list args) {
    struct out o = {to, size, 0};
    for (; *f; f++) {
        if (*f != '%') {
            put(&o, *f);
            continue;
        }
        char pad = ' ';
        int width = 0, precision = -1, longs = 0;
        for (f++; *f == '0'; f++)
            pad = '0';
        for (; *f >= '0' && *f <= '9'; f++)
            width = width * 10 + (*f - '0');
        if (*f == '.') {
            f++;
            precision = 0;
            if (*f == '*')
                precision = va_arg(args, int), f++;
            for (; *f >= '0' && *f <= '9'; f++)
                precision = precision * 10 + (*f - '0');
        }
        for (; *f == 'l' || *f == 'z'; f++)
            longs++;
        switch (*f) {
        case 'd': {
            i64 v = longs ? va_arg(args, i64) : va_arg(args, int);
            put_number(&o, v < 0 ? -(u64)v : (u64)v, v < 0, 10, width, pad);
            break;
        }
        case 'u':
        case 'x': {
            u64 v = longs ? va_arg(args, u64) : va_arg(args, unsigned);
            put_number(&o, v, false, *f == 'x' ? 16 : 10, width, pad);
            break;
        }
        case 's': {
            const char *s = va_arg(args, const char *);
            size_t n = 0;
            while ((precision < 0 || n < (size_t)precision) && s[n])
                n++;
            put_padded(&o, s, n, width, ' ');
            break;
        }
        case 'c':
            put(&o, (char)va_arg(args, int));
            break;
        case '%':
            put(&o, '%');
            break;
        case 0:
            f--;                                /* the format ends in the middle of a conversion */
            break;
        default:
            put(&o, '?');
        }
    }
    if (size)
        to[min_u64(o.length, size - 1)] = 0;
    return o.length;
}

size_t format_text(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t n = format_text_v(to, size, format, args);
    va_end(args);
    return n;
}
