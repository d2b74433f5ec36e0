/* Copying and clearing by eight-byte moves in unrolled loops: under software emulation `rep movs` and
 * `rep stos` run one element at a time, two to four times slower than this, and on hardware the
 * difference is small for the sizes a kernel moves. */
#include "core/string.h"

typedef u64 __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    u8 *d = to;
    const u8 *s = from;
    for (; n >= 64; n -= 64, d += 64, s += 64) {
        word a = ((const word *)s)[0], b = ((const word *)s)[1], c = ((const word *)s)[2], e = ((const word *)s)[3];
        ((word *)d)[0] = a;
        ((word *)d)[1] = b;
        ((word *)d)[2] = c;
        ((word *)d)[3] = e;
        a = ((const word *)s)[4], b = ((const word *)s)[5], c = ((const word *)s)[6], e = ((const word *)s)[7];
        ((word *)d)[4] = a;
        ((word *)d)[5] = b;
        ((word *)d)[6] = c;
        ((word *)d)[7] = e;
    }
    for (; n >= 8; n -= 8, d += 8, s += 8)
        *(word *)d = *(const word *)s;
    while (n--)
        *d++ = *s++;
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    u8 *d = to;
    const u8 *s = from;
    if (d <= s || d >= s + n) {
        /* Forward is safe word by word when the target is below the source. */
        for (; n >= 8; n -= 8, d += 8, s += 8)
            *(word *)d = *(const word *)s;
        while (n--)
            *d++ = *s++;
        return to;
    }
    d += n;
    s += n;
    for (; n >= 8; n -= 8) {
        d -= 8;
        s -= 8;
        *(word *)d = *(const word *)s;
    }
    while (n--)
        *--d = *--s;
    return to;
}

void *memset(void *to, int byte, size_t n) {
    u8 *d = to;
    u64 fill = (u8)byte * 0x0101010101010101ull;
    for (; n >= 64; n -= 64, d += 64)
        for (int i = 0; i < 8; i++)
            ((word *)d)[i] = fill;
    for (; n >= 8; n -= 8, d += 8)
        *(word *)d = fill;
    while (n--)
        *d++ = (u8)byte;
    return to;
}

void clear_pages(void *to, size_t n) {
    u64 *d = to;
    for (u64 *end = d + n / 8; d != end; d += 16) {
        d[0] = d[1] = d[2] = d[3] = d[4] = d[5] = d[6] = d[7] = 0;
        d[8] = d[9] = d[10] = d[11] = d[12] = d[13] = d[14] = d[15] = 0;
    }
}

int memcmp(const void *a, const void *b, size_t n) {
    const u8 *x = a, *y = b;
    for (; n >= 8 && *(const word *)x == *(const word *)y; n -= 8, x += 8, y += 8)
        ;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

void *memchr(const void *s, int byte, size_t n) {
    for (const u8 *p = s; n; n--, p++)
        if (*p == (u8)byte)
            return (void *)(uintptr_t)p;
    return NULL;
}

size_t strlen(const char *s) {
    const char *p = s;
    while (*p)
        p++;
    return (size_t)(p - s);
}
