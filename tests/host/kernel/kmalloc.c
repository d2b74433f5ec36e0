/* mm/kmalloc.c on top of mm/pmm.c: objects never overlap, keep their content and leave nothing behind. */
#include "mm/kmalloc.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "mm/pmm.h"
#include "shim/machine.h"

#define OBJECTS 3000
#define KEPT_SLABS 13                           /* at most one empty page for each size class */

static struct object { u8 *at; size_t size; u8 mark; } objects[OBJECTS];

static void start(void) {
    machine_memory(32);
    pmm_init();
}

static void check_content(const struct object *o) {
    for (size_t i = 0; i < o->size; i++)
        CHECK_IN(o->at[i] == o->mark, "byte %zu of %zu", i, o->size);
}

static bool make(struct object *o, size_t size) {
    o->at = kmalloc(size);
    o->size = size;
    o->mark = (u8)random_u64();
    if (!o->at)
        return false;
    CHECK_IN(!((u64)o->at & (size >= 64 ? 63 : 15)), "%zu bytes at %p", size, (void *)o->at);
    memset(o->at, o->mark, size);
    return true;
}

static void drop(struct object *o) {
    check_content(o);
    memset(o->at, 0xdd, o->size);
    kfree(o->at);
    o->at = NULL;
}

/* Mostly small, at times a few pages. */
static size_t random_size(void) { return random_below(16) ? random_below(2049) >> random_below(6) : random_below(30000); }

TEST(every_size_is_given_aligned_and_in_full) {
    start();
    for (size_t size = 0; size <= 2100; size++) {
        struct object pair[2];
        CHECK(make(&pair[0], size) && make(&pair[1], size));
        drop(&pair[0]);
        drop(&pair[1]);
    }
    for (size_t size = 2049; size <= 1 << 20; size = size * 3 / 2) {
        struct object o;
        CHECK(make(&o, size));
        drop(&o);
    }
}

TEST(random_objects_keep_their_content) {
    start();
    u64 free = pmm_statistics().free;
    for (int round = 0; round < 40000; round++) {
        struct object *o = &objects[random_below(OBJECTS)];
        if (o->at)
            drop(o);
        else
            CHECK(make(o, random_size()));
    }
    for (unsigned i = 0; i < OBJECTS; i++)
        if (objects[i].at)
            drop(&objects[i]);
    CHECK(pmm_statistics().free >= free - KEPT_SLABS);
}

TEST(the_same_work_again_needs_no_more_memory) {
    start();
    u64 after_first = 0;
    for (int round = 0; round < 5; round++) {
        for (unsigned i = 0; i < OBJECTS; i++)
            CHECK(make(&objects[i], i % 2048));
        for (unsigned i = 0; i < OBJECTS; i++)
            drop(&objects[(i * 7919ul) % OBJECTS]);
        u64 free = pmm_statistics().free;
        CHECK(!round || free == after_first);
        after_first = free;
    }
}

TEST(room_in_a_full_page_is_used_again) {
    start();
    for (unsigned i = 0; i < OBJECTS; i++)
        CHECK(make(&objects[i], 64));
    u64 free = pmm_statistics().free;
    for (int round = 0; round < 10; round++) {
        for (unsigned i = (unsigned)round % 3; i < OBJECTS; i += 3)
            drop(&objects[i]);
        for (unsigned i = (unsigned)round % 3; i < OBJECTS; i += 3)
            CHECK(make(&objects[i], 64));
    }
    CHECK_EQUAL(pmm_statistics().free, free);
}

TEST(when_memory_is_short_nothing_is_given_and_nothing_is_lost) {
    static u8 *all[300000];
    start();
    u64 free = pmm_statistics().free;
    for (size_t size = 256; size <= 4096; size *= 4) {
        size_t n = 0;
        for (; (all[n] = kmalloc(size)); n++)
            memset(all[n], (int)n, size);
        CHECK_IN(n > 1000, "%zu objects of %zu", n, size);
        CHECK(!kzalloc(size));
        for (size_t i = 0; i < n; i++) {
            CHECK(all[i][0] == (u8)i && all[i][size - 1] == (u8)i);
            kfree(all[i]);
        }
        CHECK(pmm_statistics().free >= free - KEPT_SLABS);
    }
}

TEST(what_is_larger_than_the_largest_block_is_refused) {
    start();
    CHECK(!kmalloc(((size_t)PAGE_SIZE << PMM_MAX_ORDER) + 1));
    CHECK(!kmalloc(1ull << 40));
    struct object o;
    CHECK(make(&o, (size_t)PAGE_SIZE << PMM_MAX_ORDER));
    drop(&o);
}

TEST(no_size_however_absurd_takes_for_ever) {
    start();
    CHECK(!kmalloc(SIZE_MAX / 2 + 2));
    CHECK(!kmalloc(SIZE_MAX));
}

TEST(large_objects_give_their_pages_back) {
    start();
    u64 free = pmm_statistics().free;
    u8 *large = kmalloc(3 * PAGE_SIZE);
    CHECK_EQUAL(pmm_statistics().free, free - 4);
    kfree(large);
    CHECK_EQUAL(pmm_statistics().free, free);
}

TEST(kzalloc_clears_what_was_used_before) {
    start();
    for (int round = 0; round < 2000; round++) {
        struct object o;
        CHECK(make(&o, random_size()));
        drop(&o);
        o.size = random_size();
        o.mark = 0;
        o.at = kzalloc(o.size);
        drop(&o);
    }
}

TEST(kstrdup_ends_what_it_copies) {
    start();
    char *copy = kstrdup("text and more", 4);
    CHECK_TEXT(copy, "text");
    kfree(copy);
    copy = kstrdup("", 0);
    CHECK_TEXT(copy, "");
    kfree(copy);
    kfree(NULL);
}
