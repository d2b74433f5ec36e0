/* fs/regular.c: files with holes, with and without content from the boot archive, against plain arrays. */
#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "fs/inode.h"
#include "shim/heap.h"
#include "shim/machine.h"
#include "shim/program.h"

#define PAGES 40
#define WINDOW (PAGES * PAGE_SIZE)
#define ARCHIVE_PAGES 20
#define ARCHIVE 0x200000

/* The file's bytes from `base` on; before them is a hole. */
static u8 model[WINDOW], buffer[WINDOW + PAGE_SIZE];
static u64 base, model_size;
static struct inode *inode;
static u64 free_at_first;

static void start(unsigned mib) {
    machine_memory(mib);
    boot_info.archives[0] = (struct boot_archive){ARCHIVE, (ARCHIVE_PAGES + 1) * PAGE_SIZE};
    boot_info.archive_count = 1;
    pmm_init();
    free_at_first = pmm_statistics().free;
    inode = inode_get(inode_new(S_IFREG | 0644));
}

/* A file whose first content lies at an offset from a page's edge of the archive. */
static void start_with_archive(u64 offset, u64 size) {
    start(16);
    inode->regular.archive = (const u8 *)phys_to_virt(ARCHIVE) + offset;
    inode->regular.archive_size = inode->size = model_size = size;
    random_fill(phys_to_virt(ARCHIVE), (ARCHIVE_PAGES + 1) * PAGE_SIZE);
    memcpy(model, inode->regular.archive, size);
}

static void end(void) {
    inode_put(inode);
    CHECK_EQUAL(inode_total, 0);
    CHECK_EQUAL(heap_objects, 0);
    CHECK_EQUAL(pmm_statistics().free, free_at_first);
}

static void write_some(u64 at, u64 n) {
    u64 position = base + at;
    random_fill(buffer, n);
    struct span from = random_below(2) ? kernel_span(buffer, n) : program_span(buffer, n);
    CHECK_EQUAL(regular_write(inode, &from, &position), n);
    CHECK(position == base + at + n && !from.left);
    memcpy(model + at, buffer, n);
    model_size = n ? max_u64(model_size, at + n) : model_size;
}

static void check_read(u64 at, u64 n) {
    u64 position = base + at, wanted = at < model_size ? min_u64(n, model_size - at) : 0;
    memset(buffer, 0x77, n + 1);
    struct span to = random_below(2) ? kernel_span(buffer, n) : program_span(buffer, n);
    i64 got = regular_read(inode, &to, &position);
    CHECK_IN(got == (i64)wanted && position == base + at + wanted, "%lu bytes at %lu: %ld", n, at, got);
    for (u64 k = 0; k < wanted; k++)
        CHECK_IN(buffer[k] == model[at + k], "%lu bytes at %lu: byte %lu is %x, not %x", n, at, at + k, buffer[k], model[at + k]);
    CHECK(buffer[wanted] == 0x77);
}

static void truncate_to(u64 size) {
    CHECK_EQUAL(regular_truncate(inode, base + size), 0);
    if (size < model_size)
        memset(model + size, 0, model_size - size);
    model_size = size;
}

static void punch(u64 from, u64 to) {
    CHECK_EQUAL(regular_punch(inode, base + from, base + to), 0);
    u64 stop = min_u64(to, model_size);
    if (from < stop)
        memset(model + from, 0, stop - from);
}

/* Nothing but zeros before data, nothing but zeros in the page where a hole is. */
static void check_seek(u64 at) {
    i64 data = regular_seek(inode, base + at, false), hole = regular_seek(inode, base + at, true);
    if (at >= model_size) {
        CHECK(data == -ENXIO && hole == -ENXIO);
        return;
    }
    u64 stop = data < 0 ? model_size : (u64)data - base;
    CHECK(data == -ENXIO || ((u64)data >= base + at && stop < model_size));
    for (u64 k = at; k < stop; k++)
        CHECK_IN(!model[k], "byte %lu before the data at %lu", k, stop);
    CHECK_IN((u64)hole >= base + at && (u64)hole <= base + model_size, "from %lu: %lx", at, hole);
    for (u64 k = (u64)hole - base; k < min_u64(ALIGN_UP((u64)hole - base + 1, PAGE_SIZE), model_size); k++)
        CHECK_IN(!model[k], "byte %lu in the hole at %lu", k, hole - base);
    CHECK(data < 0 || (data == (i64)(base + at)) == (hole > (i64)(base + at)));
}

static void check_pages(void) {
    for (u64 k = 0; k < PAGES; k++) {
        struct page *page = regular_page(inode, (base >> PAGE_SHIFT) + k, false);
        u64 from = k * PAGE_SIZE, n = from < model_size ? min_u64(model_size - from, PAGE_SIZE) : 0;
        CHECK_IN(!page || !memcmp(phys_to_virt(page_address(page)), model + from, n), "page %lu", k);
    }
}

static void random_step(void) {
    u64 at = random_below(WINDOW), n = random_below(random_below(3) ? 300 : 5 * PAGE_SIZE), choice = random_below(16);
    if (!random_below(3))
        at = ALIGN_DOWN(at, PAGE_SIZE);
    if (!random_below(3))
        n = ALIGN_DOWN(n, PAGE_SIZE);
    n = min_u64(n, WINDOW - at);
    if (choice < 6)
        write_some(at, n);
    else if (choice < 7)
        truncate_to(at);
    else if (choice < 10)
        punch(at, at + n);
    else if (choice < 11)
        CHECK_EQUAL(regular_allocate(inode, base + at, base + at + n), 0);
    else if (choice < 13)
        check_seek(at);
    else
        check_read(at, n);
}

static void work_at_random(int rounds) {
    for (int round = 0; round < rounds; round++) {
        random_step();
        CHECK_EQUAL(inode->size, model_size ? base + model_size : inode->size);
        if (round % 32 == 0)
            check_read(0, WINDOW);
        if (round % 512 == 511)                 /* not at once: it makes pages of archived content */
            check_pages();
    }
    check_read(0, WINDOW);
    CHECK(inode->mtime.sec == inode->ctime.sec && inode->mtime.nsec > 0);
    end();
}

TEST(random_changes_agree_with_an_array) {
    start(16);
    work_at_random(3000);
}

TEST(random_changes_far_behind_a_hole_agree_with_an_array) {
    start(16);
    base = (1ull << 45) + 61 * PAGE_SIZE;
    work_at_random(3000);
}

TEST(random_changes_of_an_archived_file_agree_with_an_array) {
    start_with_archive(0, ARCHIVE_PAGES * PAGE_SIZE - 1000);
    work_at_random(3000);
}

TEST(random_changes_of_an_archived_file_off_the_pages_edge_agree_with_an_array) {
    start_with_archive(1236, ARCHIVE_PAGES * PAGE_SIZE - 1000);
    work_at_random(3000);
}

TEST(archived_content_is_read_without_memory) {
    start_with_archive(100, ARCHIVE_PAGES * PAGE_SIZE - 7);
    check_read(0, WINDOW);
    check_read(5000, 9000);
    CHECK(!inode->regular.page_count && pmm_statistics().free == free_at_first);
    end();
}

TEST(an_archived_page_on_a_pages_edge_is_mapped_in_place_and_others_are_copied) {
    start_with_archive(0, 2 * PAGE_SIZE + 10);
    CHECK(regular_page(inode, 1, false) == page_of(ARCHIVE + PAGE_SIZE));
    CHECK_EQUAL(pmm_statistics().free, free_at_first);
    CHECK(regular_page(inode, 2, false));
    CHECK_EQUAL(pmm_statistics().free, free_at_first - 1);
    CHECK(!regular_page(inode, 3, false));
    check_pages();
    end();
}

TEST(holes_cost_nothing_and_read_as_zeros) {
    start(16);
    truncate_to(WINDOW);
    check_read(0, WINDOW);
    write_some(30 * PAGE_SIZE + 5, 10);
    CHECK_EQUAL(inode->regular.page_count, 1);
    CHECK_EQUAL(regular_seek(inode, 0, false), 30 * PAGE_SIZE);
    CHECK_EQUAL(regular_seek(inode, 30 * PAGE_SIZE + 7, true), 31 * PAGE_SIZE);
    CHECK_EQUAL(regular_seek(inode, 31 * PAGE_SIZE, false), -ENXIO);
    punch(30 * PAGE_SIZE, 31 * PAGE_SIZE);
    CHECK_EQUAL(inode->regular.page_count, 0);
    check_read(0, WINDOW);
    end();
}

TEST(the_search_for_data_in_a_huge_hole_is_quick) {
    start(16);
    CHECK_EQUAL(regular_truncate(inode, 1ull << 50), 0);
    CHECK_EQUAL(regular_seek(inode, 0, false), -ENXIO);
    CHECK_EQUAL(regular_seek(inode, 0, true), 0);
    base = 1ull << 49;
    write_some(0, 1);
    CHECK_EQUAL(regular_seek(inode, 12345, false), base);
    CHECK_EQUAL(regular_seek(inode, base + PAGE_SIZE, false), -ENXIO);
    CHECK_EQUAL(regular_punch(inode, 0, UINT64_MAX), 0);
    CHECK_EQUAL(inode->regular.page_count, 0);
    end();
}

TEST(sizes_beyond_the_limit_are_refused) {
    start(16);
    struct span from = kernel_span("ab", 2);
    u64 position = (1ull << 62) - 1;
    CHECK_EQUAL(regular_write(inode, &from, &position), -EFBIG);
    position = UINT64_MAX;
    CHECK_EQUAL(regular_write(inode, &from, &position), -EFBIG);
    CHECK_EQUAL(regular_truncate(inode, (1ull << 62) + 1), -EFBIG);
    CHECK_EQUAL(inode->size, 0);
    position = (1ull << 62) - 2;
    CHECK_EQUAL(regular_write(inode, &from, &position), 2);
    end();
}

TEST(appending_writes_at_the_end) {
    start(16);
    struct file f = {.ops = &regular_ops, .flags = O_RDWR | O_APPEND, .inode = inode};
    write_some(0, 5000);
    u64 position = 17;
    struct span from = kernel_span("more", 4);
    CHECK_EQUAL(regular_ops.write(&f, &from, &position), 4);
    memcpy(model + 5000, "more", 4);
    model_size = 5004;
    CHECK_EQUAL(position, 5004);
    check_read(0, 6000);
    end();
}

TEST(a_lock_goes_with_the_open_file_that_holds_it) {
    start(16);
    struct file one = {.ops = &regular_ops, .flock = 2, .inode = inode}, two = {.ops = &regular_ops, .flock = 1, .inode = inode};
    inode->regular.exclusive_lock = &one;
    regular_ops.release(&one);
    CHECK(!inode->regular.exclusive_lock && !one.flock);
    inode->regular.shared_locks = 2;
    regular_unlock(&two);
    regular_unlock(&two);
    CHECK_EQUAL(inode->regular.shared_locks, 1);
    end();
}
