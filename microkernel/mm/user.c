#include "mm/user.h"

#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"

size_t user_copy_raw(void *to, const void *from, size_t n);
size_t user_clear_raw(void *to, size_t n);

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

size_t copy_from_user_partial(void *to, u64 from, size_t n) { return user_range(from, n) ? copy(to, (const u8 *)from, n) : 0; }
size_t copy_to_user_partial(u64 to, const void *from, size_t n) { return user_range(to, n) ? copy((u8 *)to, from, n) : 0; }
int copy_from_user(void *to, u64 from, size_t n) { return copy_from_user_partial(to, from, n) == n ? 0 : -EFAULT; }
int copy_to_user(u64 to, const void *from, size_t n) { return copy_to_user_partial(to, from, n) == n ? 0 : -EFAULT; }
int clear_user(u64 to, size_t n) {
    if (!user_range(to, n))
        return -EFAULT;
    for (size_t piece; n; to += piece, n -= piece) {
        piece = min_u64(n, PIECE);
        if (user_clear_raw((void *)to, piece))
            return -EFAULT;
        if (n > piece)
            preemption_point();
    }
    return 0;
}

i64 copy_string_from_user(char *to, u64 from, size_t size) {
    size_t n = 0;
    while (n < size) {
        /* Up to the next page's edge at a time: what follows the string need not be mapped. */
        size_t piece = min_u64(size - n, PAGE_SIZE - ((from + n) & (PAGE_SIZE - 1)));
        piece = min_u64(piece, 64);
        if (!user_range(from + n, 1))
            return -EFAULT;
        size_t got = copy_from_user_partial(to + n, from + n, piece);
        const char *end = memchr(to + n, 0, got);
        if (end)
            return end - to;
        if (got < piece)
            return -EFAULT;
        n += piece;
    }
    return -ENAMETOOLONG;
}

int span_put(struct span *s, const void *from, size_t n) {
    if (s->kernel)
        memcpy((void *)s->at, from, n);
    else if (copy_to_user(s->at, from, n))
        return -EFAULT;
    s->at += n;
    s->left -= n;
    return 0;
}

int span_put_zeros(struct span *s, size_t n) {
    if (s->kernel)
        memset((void *)s->at, 0, n);
    else if (clear_user(s->at, n))
        return -EFAULT;
    s->at += n;
    s->left -= n;
    return 0;
}

int span_get(struct span *s, void *to, size_t n) {
    if (s->kernel)
        memcpy(to, (const void *)s->at, n);
    else if (copy_from_user(to, s->at, n))
        return -EFAULT;
    s->at += n;
    s->left -= n;
    return 0;
}
