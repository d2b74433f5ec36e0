/* mm/pmm.c: every frame is given once, comes back whole, and the account adds up. */
#include "mm/pmm.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "shim/machine.h"

#define MIB 64
#define FRAMES ((MIB << 20) >> PAGE_SHIFT)

static u8 given[FRAMES];
static struct block { paddr_t at; unsigned order; } blocks[FRAMES];
static unsigned block_count;

static void start(void) {
    machine_memory(MIB);
    pmm_init();
}

static bool usable(paddr_t frame) {
    for (u32 i = 0; i < boot_info.region_count; i++) {
        const struct boot_region *r = &boot_info.regions[i];
        if (r->usable && frame >= r->start && frame + PAGE_SIZE <= r->end)
            return true;
    }
    return false;
}

static bool overlaps(paddr_t frame, paddr_t start_, u64 size) { return frame < start_ + size && start_ < frame + PAGE_SIZE; }

/* Notes a block as given: aligned, of usable memory that holds nothing else, nobody's until now. */
static void note(paddr_t at, unsigned order) {
    CHECK_IN(!(at & (((u64)PAGE_SIZE << order) - 1)), "order %u at %lx", order, at);
    for (paddr_t frame = at; frame < at + ((u64)PAGE_SIZE << order); frame += PAGE_SIZE) {
        CHECK_IN(frame && usable(frame), "%lx", frame);
        CHECK_IN(!overlaps(frame, MACHINE_KERNEL, MACHINE_KERNEL_SIZE), "%lx", frame);
        for (u32 i = 0; i < boot_info.archive_count; i++)
            CHECK_IN(!overlaps(frame, boot_info.archives[i].start, boot_info.archives[i].size), "%lx", frame);
        CHECK_IN(!given[frame >> PAGE_SHIFT], "%lx is given twice", frame);
        given[frame >> PAGE_SHIFT] = 1;
    }
    blocks[block_count++] = (struct block){at, order};
}

static bool take(unsigned order) {
    u64 before = pmm_statistics().free;
    paddr_t at = pmm_alloc(order, PMM_KERNEL);
    if (!at) {
        CHECK_EQUAL(pmm_statistics().free, before);
        return false;
    }
    note(at, order);
    /* Nothing of the kernel's own lies in it: content survives. */
    memset(phys_to_virt(at), 0xee, (size_t)PAGE_SIZE << order);
    CHECK_EQUAL(pmm_statistics().free, before - (1ull << order));
    return true;
}

static void give_back(unsigned which) {
    struct block b = blocks[which];
    blocks[which] = blocks[--block_count];
    memset(given + (b.at >> PAGE_SHIFT), 0, 1ull << b.order);
    pmm_free(b.at, b.order);
}

static void give_all_back(void) {
    while (block_count)
        give_back((unsigned)random_below(block_count));
}

/* How many blocks of one size there are; all are given back. */
static unsigned count_of(unsigned order) {
    while (take(order))
        ;
    unsigned count = block_count;
    give_all_back();
    return count;
}

TEST(at_first_all_that_is_not_in_use_is_free) {
    start();
    struct pmm_statistics s = pmm_statistics();
    CHECK_EQUAL(s.free, s.total);
    CHECK_EQUAL(s.promised, 0);
    CHECK(s.reserve >= 64);
    u64 in_use = MACHINE_KERNEL_SIZE / PAGE_SIZE + FRAMES * sizeof(struct page) / PAGE_SIZE + 32 + 16;
    CHECK_EQUAL(s.total, 0x9f + FRAMES - 0x100 - in_use);
}

TEST(single_frames_can_be_filled_freed_and_filled_again) {
    start();
    u64 total = pmm_statistics().total;
    for (int round = 0; round < 3; round++)
        CHECK_EQUAL(count_of(0), total);
    CHECK_EQUAL(pmm_statistics().free, total);
}

TEST(blocks_of_every_size_come_back_whole) {
    unsigned first[PMM_MAX_ORDER + 1];
    start();
    u64 total = pmm_statistics().total;
    for (unsigned order = 0; order <= PMM_MAX_ORDER; order++)
        first[order] = count_of(order);
    CHECK(first[PMM_MAX_ORDER] >= MIB / 4 - 3);
    for (int round = 0; round < 3; round++) {
        /* Memory in small pieces, freed in any order, is as large as before. */
        while (take((unsigned)random_below(3)) || take(0))
            ;
        CHECK_EQUAL(pmm_statistics().free, 0);
        give_all_back();
        CHECK_EQUAL(pmm_statistics().free, total);
        for (unsigned order = 0; order <= PMM_MAX_ORDER; order++)
            CHECK_EQUAL(count_of(order), first[order]);
    }
}

TEST(random_blocks_never_overlap) {
    start();
    u64 total = pmm_statistics().total, used = 0;
    for (int round = 0; round < 10000; round++) {
        if (block_count && random_below(100) < 45) {
            unsigned which = (unsigned)random_below(block_count);
            used -= 1ull << blocks[which].order;
            give_back(which);
        } else {
            unsigned order = (unsigned)__builtin_ctzll(random_u64() | 1ull << PMM_MAX_ORDER);
            if (take(order))
                used += 1ull << order;
        }
        CHECK_EQUAL(pmm_statistics().free, total - used);
    }
    give_all_back();
    CHECK_EQUAL(pmm_statistics().free, total);
}

TEST(memory_is_cleared_on_request) {
    start();
    count_of(0);                                /* leaves every frame dirty */
    for (unsigned order = 0; order <= PMM_MAX_ORDER; order++) {
        paddr_t at = pmm_alloc(order, PMM_CLEAR);
        CHECK(at);
        const u64 *words = phys_to_virt(at);
        for (size_t i = 0; i < (512ul << order); i++)
            CHECK_IN(!words[i], "word %zu of order %u", i, order);
        pmm_free(at, order);
    }
}

TEST(unusual_memory_maps_are_respected) {
    machine_bare_memory(MIB);
    boot_info.regions[boot_info.region_count++] = (struct boot_region){0x2001234, 0x2ffffff, true};
    boot_info.regions[boot_info.region_count++] = (struct boot_region){0x3000000, 0x3000800, true};
    boot_info.regions[boot_info.region_count++] = (struct boot_region){0x1800000, 0x2001234, false};
    boot_info.regions[boot_info.region_count++] = (struct boot_region){0, 0x1000, true};
    boot_info.regions[boot_info.region_count++] = (struct boot_region){0x3001000, 0x3003000, true};
    boot_info.regions[boot_info.region_count++] = (struct boot_region){0x100000, 0x1800000, true};
    boot_info.archives[boot_info.archive_count++] = (struct boot_archive){0x110000, 0x12345};
    boot_info.archives[boot_info.archive_count++] = (struct boot_archive){0x2100777, 0x500001};
    boot_info.archives[boot_info.archive_count++] = (struct boot_archive){0x2fff000, 0xfff};
    pmm_init();
    u64 total = pmm_statistics().total;
    CHECK_EQUAL(count_of(0), total);
    CHECK_EQUAL(count_of(0), total);
    CHECK(page_of(0x2100000)->state == PAGE_RESERVED && page_of(0x1900000)->state == PAGE_RESERVED);
}

TEST(too_little_memory_is_a_readable_panic) {
    machine_memory(MIB);
    boot_info.regions[2].end = 0x112000;
    CHECK_PANICS(pmm_init());
}

TEST(an_archive_behind_the_end_of_memory_is_a_readable_panic) {
    machine_memory(MIB);
    boot_info.archives[0] = (struct boot_archive){0x200000, MIB << 20};
    boot_info.archive_count = 1;
    CHECK_PANICS(pmm_init());
}

/* ---- the account ---- */

TEST(what_is_promised_is_not_given_to_others) {
    start();
    struct pmm_statistics s = pmm_statistics();
    u64 most = s.free - s.reserve;
    CHECK(pmm_available(most) && !pmm_available(most + 1));
    CHECK(!pmm_promise(most + 1));
    CHECK_EQUAL(pmm_statistics().promised, 0);
    CHECK(pmm_promise(most - 10));
    CHECK(pmm_available(10) && !pmm_available(11) && !pmm_promise(11));
    for (int i = 0; i < 10; i++)
        CHECK(pmm_alloc(0, 0));
    CHECK(!pmm_alloc(0, 0));
    CHECK(!pmm_alloc(3, 0));
    CHECK_EQUAL(pmm_statistics().free, s.free - 10);
}

TEST(every_promise_is_kept_even_when_the_reserve_is_used_up_by_nobody) {
    start();
    struct pmm_statistics s = pmm_statistics();
    u64 most = s.free - s.reserve;
    CHECK(pmm_promise(most));
    for (u64 i = 0; i < most; i++)
        note(pmm_alloc(0, PMM_PROMISED), 0);
    CHECK_EQUAL(pmm_statistics().promised, 0);
    CHECK_EQUAL(pmm_statistics().free, s.reserve);
    CHECK(!pmm_alloc(0, 0) && !pmm_promise(1) && pmm_promise(0));
    CHECK_PANICS(pmm_alloc(0, PMM_PROMISED));
}

TEST(the_reserve_is_for_the_kernel) {
    start();
    u64 reserve = pmm_statistics().reserve;
    while (pmm_alloc(0, 0))
        ;
    CHECK_EQUAL(pmm_statistics().free, reserve);
    u64 got = 0;
    while (pmm_alloc(0, PMM_KERNEL))
        got++;
    CHECK_EQUAL(got, reserve);
    CHECK_EQUAL(pmm_statistics().free, 0);
}

TEST(promises_are_taken_back_and_made_again) {
    start();
    CHECK(pmm_promise(5));
    paddr_t at = pmm_alloc(0, PMM_PROMISED);
    CHECK_EQUAL(pmm_statistics().promised, 4);
    pmm_free(at, 0);
    pmm_repromise(1);
    CHECK_EQUAL(pmm_statistics().promised, 5);
    CHECK(pmm_alloc(2, PMM_PROMISED));
    CHECK_EQUAL(pmm_statistics().promised, 1);
    pmm_unpromise(1);
    CHECK_EQUAL(pmm_statistics().promised, 0);
    CHECK_PANICS(pmm_unpromise(1));
}

/* ---- references ---- */

TEST(the_last_reference_frees_a_page) {
    start();
    u64 free = pmm_statistics().free;
    struct page *p = page_of(pmm_alloc(0, 0));
    CHECK_EQUAL(p->refs, 1);
    CHECK(page_of(page_address(p)) == p);
    page_get(p);
    page_put(p);
    CHECK_EQUAL(pmm_statistics().free, free - 1);
    page_put(p);
    CHECK_EQUAL(pmm_statistics().free, free);
    CHECK_PANICS(page_put(p));
}

TEST(pages_of_the_boot_archive_are_never_freed) {
    machine_memory(MIB);
    boot_info.archives[0] = (struct boot_archive){0x200000, 0x3000};
    boot_info.archive_count = 1;
    pmm_init();
    u64 free = pmm_statistics().free;
    struct page *p = page_of(0x201000);
    page_get(p);
    page_put(p);
    CHECK_EQUAL(pmm_statistics().free, free);
    CHECK_PANICS(pmm_free(0x201000, 0));
}

TEST(freeing_what_is_free_is_a_panic) {
    start();
    while (take(0))
        ;
    paddr_t at = blocks[7].at;
    pmm_free(at, 0);                            /* its buddy is in use: it stays by itself */
    CHECK_PANICS(pmm_free(at, 0));
}

TEST(only_usable_memory_above_the_first_mebibyte_is_managed) {
    machine_memory(MIB);
    CHECK(!pmm_manages(0, 0x100000));
    CHECK(!pmm_manages(0xf0000, 0x10000));
    CHECK(pmm_manages(0xff000, 0x1001));
    CHECK(pmm_manages(0x100000, 1));
    CHECK(pmm_manages((MIB << 20) - 1, 1));
    CHECK(!pmm_manages(MIB << 20, 0x1000));
    CHECK(!pmm_manages(0xfee00000, 0x1000));
}
