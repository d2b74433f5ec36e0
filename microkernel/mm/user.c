#include "mm/user.h"

#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"

size_t user_copy_raw(void *to, const void *from, size_t n);

/* Long copies let interrupts in between pieces. */
#define PIECE 65536

static size_t copy(u8 *to, const u8 *from, size_t n) {
    size_t done = 0;
    while (done < n) {
        size_t piece = min_u64(n - done, PIECE), left = user_copy_raw(to + done, from + done, piece);
        done += piece - left;
        if (left)
            break;
        if (done < n)
            preemption_point();
    }
    return done;
}

int copy_from_user(void *to, u64 from, size_t n) { return user_range(from, n) && copy(to, (const u8 *)from, n) == n ? 0 : -EFAULT; }
int copy_to_user(u64 to, const void *from, size_t n) { return user_range(to, n) && copy((u8 *)to, from, n) == n ? 0 : -EFAULT; }

i64 copy_string_from_user(char *to, u64 from, size_t size) {
    size_t n = 0;
    while (n < size) {
        /* Up to the next page's edge at a time: what follows the string need not be mapped. */
        size_t piece = min_u64(size - n, PAGE_SIZE - ((from + n) & (PAGE_SIZE - 1)));
        piece = min_u64(piece, 64);
        size_t got = user_range(from + n, piece) ? copy((u8 *)to + n, (const u8 *)from + n, piece) : 0;
        const char *end = memchr(to + n, 0, got);
        if (end)
            return end - to;
        if (got < piece)
            return -EFAULT;
        n += piece;
    }
    return -ENAMETOOLONG;
}

struct iovec { u64 base, length; };

int vector_span(struct span *s, u64 vector, u64 count) {
    *s = (struct span){.vector = vector, .vectors = (u32)count};
    if (count > 1024)
        return -EINVAL;
    for (u64 i = 0; i < count; i++) {
        struct iovec v;
        if (copy_from_user(&v, vector + i * sizeof v, sizeof v))
            return -EFAULT;
        if ((i64)v.length < 0)
            return -EINVAL;
        if (!user_range(v.base, v.length))
            return -EFAULT;
        s->later = s->left = min_u64(s->left + v.length, TRANSFER_LIMIT);
    }
    return 0;
}

/* Another thread may have changed the vector meanwhile: nothing of it is taken on trust. */
static int next_stretch(struct span *s) {
    struct iovec v;
    if (!s->vectors || copy_from_user(&v, s->vector, sizeof v) || !user_range(v.base, v.length))
        return -EFAULT;
    s->at = v.base;
    s->later = s->left - min_u64(v.length, s->left);
    s->vector += sizeof v;
    s->vectors--;
    return 0;
}

int span_stretch(struct span *s) {
    while (s->left == s->later)
        if (next_stretch(s))
            return -EFAULT;
    return 0;
}

static inline int span_move(struct span *s, u8 *bytes, size_t n, bool put) {
    while (n) {
        size_t piece = min_u64(n, s->left - s->later);
        if (!piece && next_stretch(s))
            return -EFAULT;
        if ((put ? copy((u8 *)s->at, bytes, piece) : copy(bytes, (const u8 *)s->at, piece)) < piece)
            return -EFAULT;
        s->at += piece;
        s->left -= piece;
        bytes += piece;
        n -= piece;
    }
    return 0;
}

int span_put(struct span *s, const void *from, size_t n) { return span_move(s, (u8 *)(uintptr_t)from, n, true); }
int span_get(struct span *s, void *to, size_t n) { return span_move(s, to, n, false); }

int span_put_zeros(struct span *s, size_t n) {
    static const u8 zeros[PAGE_SIZE];
    for (size_t piece; n; n -= piece) {
        piece = min_u64(n, sizeof zeros);
        if (span_put(s, zeros, piece))
            return -EFAULT;
    }
    return 0;
}
