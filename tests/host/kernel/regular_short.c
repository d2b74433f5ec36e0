/* fs/regular.c when memory is short or the program's pointers are bad: what was there stays, nothing is lost. */
#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "fs/inode.h"
#include "shim/heap.h"
#include "shim/machine.h"
#include "shim/program.h"

static u8 buffer[4 * PAGE_SIZE], other[4 * PAGE_SIZE];
static struct inode *inode;
static u64 free_at_first;

static void start(void) {
    machine_memory(4);
    pmm_init();
    free_at_first = pmm_statistics().free;
    inode = inode_get(inode_new(S_IFREG | 0644));
    random_fill(buffer, sizeof buffer);
}

static void end(void) {
    inode_put(inode);
    CHECK_EQUAL(heap_objects, 0);
    CHECK_EQUAL(pmm_statistics().free, free_at_first);
}

static i64 write_at(u64 at, size_t n) {
    struct span from = program_span(buffer, n);
    return regular_write(inode, &from, &at);
}

static i64 read_at(u64 at, size_t n) {
    struct span to = program_span(other, n);
    return regular_read(inode, &to, &at);
}

TEST(a_full_memory_ends_a_write_early_and_then_refuses) {
    start();
    u64 at = 0;
    while (write_at(at, sizeof buffer) == sizeof buffer)
        at += sizeof buffer;
    CHECK(inode->size >= at && inode->size - at < sizeof buffer);
    CHECK_EQUAL(inode->size, inode->regular.page_count << PAGE_SHIFT);
    CHECK_EQUAL(write_at(inode->size, 1), -ENOSPC);
    CHECK_EQUAL(regular_allocate(inode, 0, 1ull << 40), -ENOSPC);
    for (u64 k = 0; k < at; k += sizeof buffer)
        CHECK(read_at(k, sizeof buffer) == sizeof buffer && !memcmp(other, buffer, sizeof buffer));
    CHECK_EQUAL(regular_truncate(inode, 0), 0);
    CHECK_EQUAL(pmm_statistics().free, free_at_first);
    end();
}

TEST(no_single_failed_allocation_loses_anything) {
    for (long left = 0; left < 12; left++) {
        if (left)
            inode = inode_get(inode_new(S_IFREG | 0644));
        else
            start();
        /* Three places that need trees of different heights. */
        static const u64 places[] = {5 * PAGE_SIZE + 1, 1ull << 24, 1ull << 40};
        i64 results[3];
        heap_left = left;
        for (int k = 0; k < 3; k++) {
            results[k] = write_at(places[k], 100);
            CHECK_IN(results[k] == 100 || results[k] == -ENOSPC, "%ld", results[k]);
        }
        heap_left = -1;
        for (int k = 0; k < 3; k++)
            if (results[k] == 100)
                CHECK(read_at(places[k], 100) == 100 && !memcmp(other, buffer, 100));
        CHECK_EQUAL(pmm_statistics().free, free_at_first - inode->regular.page_count);
        end();
    }
}

TEST(a_bad_pointer_ends_a_write_at_a_page) {
    start();
    program_fault = (u64)buffer + PAGE_SIZE + 50;
    CHECK_EQUAL(write_at(0, 3 * PAGE_SIZE), PAGE_SIZE);
    CHECK_EQUAL(inode->size, PAGE_SIZE);
    program_fault = (u64)buffer;
    CHECK_EQUAL(write_at(0, 10), -EFAULT);
    program_fault = 0;
    CHECK(read_at(0, PAGE_SIZE) == PAGE_SIZE && !memcmp(other, buffer, PAGE_SIZE));
    end();
}

TEST(what_a_failed_write_left_behind_the_end_never_shows) {
    static const u8 zeros[PAGE_SIZE];
    start();
    CHECK_EQUAL(write_at(0, 10), 10);
    program_fault = (u64)buffer + 200;
    CHECK_EQUAL(write_at(5, 1000), -EFAULT);
    CHECK_EQUAL(inode->size, 10);
    program_fault = 0;
    CHECK_EQUAL(regular_truncate(inode, PAGE_SIZE), 0);
    CHECK_EQUAL(read_at(10, PAGE_SIZE - 10), PAGE_SIZE - 10);
    CHECK(!memcmp(other, zeros, PAGE_SIZE - 10));
    end();
}

TEST(a_bad_pointer_ends_a_read) {
    start();
    CHECK_EQUAL(write_at(0, 3 * PAGE_SIZE), 3 * PAGE_SIZE);
    CHECK_EQUAL(regular_truncate(inode, 1 << 20), 0);
    program_fault = (u64)other + PAGE_SIZE;
    CHECK_EQUAL(read_at(0, 2 * PAGE_SIZE), PAGE_SIZE);
    CHECK_EQUAL(read_at(1 << 19, 2 * PAGE_SIZE), PAGE_SIZE);
    program_fault = (u64)other;
    CHECK_EQUAL(read_at(0, 1), -EFAULT);
    CHECK_EQUAL(read_at(1 << 19, 1), -EFAULT);
    CHECK_EQUAL(read_at(1 << 20, 1), 0);
    end();
}

TEST(an_address_outside_the_programs_half_is_bad) {
    struct span s;
    CHECK_EQUAL(user_span(&s, 0xffff800000000000, 10), -EFAULT);
    CHECK_EQUAL(user_span(&s, USER_END - 5, 10), -EFAULT);
    CHECK_EQUAL(user_span(&s, USER_END - 10, 10), 0);
}
