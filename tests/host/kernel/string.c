/* core/string.c against the C library's functions: all small sizes, alignments and overlaps. The buffers are
 * as long as what is worked on, so that the address sanitizer sees every byte too much. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* The kernel's functions under names of their own. */
#define memcpy kernel_memcpy
#define memmove kernel_memmove
#define memset kernel_memset
#define memcmp kernel_memcmp
#define memchr kernel_memchr
#define strlen kernel_strlen
#include "core/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen

#define LONGEST 150                             /* more than two rounds of the unrolled loops */
#define ALIGNMENTS 8

static u8 *made(size_t n) {
    u8 *p = malloc(n ? n : 1);
    CHECK(p);
    random_fill(p, n);
    return p;
}

/* n bytes at the very end of a block, `offset` after an address that all types could have. */
static u8 *made_at(size_t offset, size_t n, u8 **block) {
    *block = made(offset + n);
    return *block + offset;
}

static int sign(int v) { return (v > 0) - (v < 0); }

TEST(memcpy_copies_every_size_between_all_alignments) {
    for (size_t n = 0; n <= LONGEST; n++)
        for (size_t k = 0; k < ALIGNMENTS * ALIGNMENTS; k++) {
            u8 *to_block, *to = made_at(k % ALIGNMENTS, n, &to_block);
            u8 *from_block, *from = made_at(k / ALIGNMENTS, n, &from_block);
            CHECK(kernel_memcpy(to, from, n) == to);
            CHECK_IN(!memcmp(to, from, n), "%zu bytes, case %zu", n, k);
            free(to_block);
            free(from_block);
        }
}

TEST(memcpy_copies_long_stretches_and_nothing_else) {
    for (size_t n = 4000; n < 4200; n += 7) {
        u8 *to = made(n + 2), *from = made(n), first = to[0], last = to[n + 1];
        kernel_memcpy(to + 1, from, n);
        CHECK_IN(!memcmp(to + 1, from, n) && to[0] == first && to[n + 1] == last, "%zu bytes", n);
        free(to);
        free(from);
    }
}

TEST(memmove_copies_across_every_overlap) {
    u8 *a = made(LONGEST + 80), *b = made(LONGEST + 80);
    for (size_t n = 0; n <= LONGEST; n++)
        for (size_t from = 0; from <= 40; from++)
            for (size_t to = 0; to <= 80; to += 1 + (n > 70)) {
                if (from + n > LONGEST + 80 || to + n > LONGEST + 80)
                    continue;
                memcpy(b, a, LONGEST + 80);
                CHECK(kernel_memmove(b + to, b + from, n) == b + to);
                CHECK_IN(!memcmp(b + to, a + from, n), "%zu bytes from %zu to %zu", n, from, to);
                CHECK_IN(!memcmp(b, a, to), "%zu bytes from %zu to %zu: before", n, from, to);
                CHECK_IN(!memcmp(b + to + n, a + to + n, LONGEST + 80 - to - n), "%zu from %zu to %zu: behind", n, from, to);
            }
    free(a);
    free(b);
}

TEST(memset_fills_every_size_at_all_alignments) {
    static const int bytes[] = {0, 0x5a, 0xff, -2, 0x1234};
    for (size_t n = 0; n <= LONGEST; n++)
        for (size_t offset = 0; offset < 2 * ALIGNMENTS; offset++) {
            int byte = bytes[(n + offset) % ARRAY_SIZE(bytes)];
            u8 *block, *p = made_at(offset, n, &block);
            CHECK(kernel_memset(p, byte, n) == p);
            for (size_t i = 0; i < n; i++)
                CHECK_IN(p[i] == (u8)byte, "byte %zu of %zu at %zu", i, n, offset);
            free(block);
        }
}

TEST(clear_pages_clears_whole_pages_only) {
    u8 *p = made(4096 * 4 + 2 * sizeof(u64)), *start = p + sizeof(u64);
    for (size_t pages = 0; pages <= 3; pages++) {
        random_fill(p, 4096 * 4 + 2 * sizeof(u64));
        u8 before = start[-1], behind = start[pages * 4096];
        clear_pages(start, pages * 4096);
        for (size_t i = 0; i < pages * 4096; i++)
            CHECK_IN(!start[i], "byte %zu of %zu pages", i, pages);
        CHECK(start[-1] == before && start[pages * 4096] == behind);
    }
    free(p);
}

TEST(memcmp_finds_the_first_difference_wherever_it_is) {
    for (size_t n = 0; n <= 80; n++)
        for (size_t offset = 0; offset < ALIGNMENTS; offset++) {
            u8 *a_block, *b_block, *a = made_at(offset, n, &a_block), *b = made_at(n % ALIGNMENTS, n, &b_block);
            memcpy(b, a, n);
            CHECK(!kernel_memcmp(a, b, n));
            bool differs_before = false;
            for (size_t at = 0; at < n; at++) {
                b[at] ^= (u8)(1u << random_below(8));
                CHECK_IN(sign(kernel_memcmp(a, b, n)) == sign(memcmp(a, b, n)), "byte %zu of %zu", at, n);
                CHECK_IN(sign(kernel_memcmp(b, a, n)) == sign(memcmp(b, a, n)), "byte %zu of %zu", at, n);
                CHECK(kernel_memcmp(a, b, at) == 0 || differs_before);
                differs_before |= random_below(2) != 0;
                if (!differs_before)
                    b[at] = a[at];
            }
            free(a_block);
            free(b_block);
        }
}

TEST(memcmp_compares_bytes_as_unsigned) {
    CHECK(kernel_memcmp("\x80", "\x7f", 1) > 0);
    CHECK(kernel_memcmp("12345678\x01", "12345678\xff", 9) < 0);
}

TEST(memchr_finds_the_first_of_several) {
    for (size_t n = 0; n <= 40; n++) {
        u8 *p = made(n);
        for (size_t i = 0; i < n; i++)
            p[i] %= 4;
        for (int byte = 0; byte < 6; byte++) {
            CHECK(kernel_memchr(p, byte, n) == memchr(p, byte, n));
            CHECK(kernel_memchr(p, byte + 256, n) == memchr(p, byte, n));
        }
        free(p);
    }
}

TEST(strings_are_measured_up_to_their_nul) {
    for (size_t n = 0; n <= 40; n++) {
        char *s = (char *)made(n + 1);
        for (size_t i = 0; i < n; i++)
            s[i] |= 1;
        s[n] = 0;
        CHECK_EQUAL(kernel_strlen(s), n);
        free(s);
    }
}
