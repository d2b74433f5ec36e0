/* The kernel's only way to the program's memory: a bad pointer is -EFAULT, never a crash. */
#pragma once

#include "core/errno.h"
#include "core/types.h"

/* Is [address, address + size) within what programs may use? */
static inline bool user_range(u64 address, u64 size) {
    return address < 0x7ffffffff000 && size <= 0x7ffffffff000 - address;
}

/* 0 or -EFAULT. */
int copy_from_user(void *to, u64 from, size_t n);
int copy_to_user(u64 to, const void *from, size_t n);
/* Length of a string of at most size - 1 bytes copied in with its NUL; -EFAULT or -ENAMETOOLONG. */
i64 copy_string_from_user(char *to, u64 from, size_t size);

/* Where a read or write goes: a stretch of the program's memory or of the kernel's own, or several of the
 * program's. What is the program's was checked when the span was made. */
struct span {
    u64 at;
    size_t left;                                /* in all */
    size_t later;                               /* what of that is in stretches after the one at `at` */
    u64 vector;                                 /* the program's struct iovec of the next stretch */
    u32 vectors;                                /* how many are left there */
};

static inline struct span kernel_span(const void *at, size_t n) { return (struct span){.at = (u64)at, .left = n}; }
/* The largest transfer Linux does in one call; what is longer is cut. */
#define TRANSFER_LIMIT 0x7ffff000ull
/* 0, -EFAULT; -EINVAL for a vector that POSIX forbids. */
static inline int user_span(struct span *s, u64 at, u64 n) {
    *s = (struct span){.at = at, .left = min_u64(n, TRANSFER_LIMIT)};
    return user_range(at, s->left) ? 0 : -EFAULT;
}
int vector_span(struct span *s, u64 vector, u64 count);

/* Makes the stretch at `at` not empty, where anything is left: 0 or -EFAULT. */
int span_stretch(struct span *s);
/* Move n <= left bytes and advance: 0 or -EFAULT (then nothing is certain about the target's content). */
int span_put(struct span *s, const void *from, size_t n);
int span_put_zeros(struct span *s, size_t n);
int span_get(struct span *s, void *to, size_t n);
