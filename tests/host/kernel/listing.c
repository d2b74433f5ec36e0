/* fs/directory.c: listings as getdents64 returns them (struct linux_dirent64). */
#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "fs/inode.h"
#include "shim/heap.h"
#include "shim/machine.h"
#include "shim/program.h"

#define NAMES 200

static u8 buffer[16384];
static struct file file = {.ops = &directory_ops};
static u8 seen[NAMES];

static const char *name_of(u32 k, size_t *length) {
    static char text[NAMES + 3];
    memset(text, 'x', sizeof text);
    text[0] = (char)('a' + k % 26);
    text[1] = (char)('a' + k / 26);
    *length = 2 + k % 90;
    return text;
}

static void add(u32 k) {
    size_t n;
    const char *name = name_of(k, &n);
    CHECK_EQUAL(directory_add(root_inode, name, n, inode_new(k % 3 ? S_IFREG : S_IFLNK)), 0);
}

static struct dentry *find(u32 k) {
    size_t n;
    const char *name = name_of(k, &n);
    return directory_find(root_inode, name, n);
}

static void start(u32 names) {
    machine_memory(4);
    pmm_init();
    inode_init();
    file.inode = root_inode;
    for (u32 k = 0; k < names; k++)
        add(k);
}

/* One record: noted as seen. Its length. */
static u16 take_record(const u8 *at, size_t left) {
    u64 number;
    u16 size;
    CHECK(left >= 24);
    memcpy(&number, at, 8);
    memcpy(&size, at + 16, 2);
    CHECK_IN(size <= left && size % 8 == 0, "%u of %zu", size, left);
    const char *name = (const char *)at + 19;
    CHECK(memchr(name, 0, size - 19u));
    size_t n = strlen(name);
    CHECK_IN(size - 19u - n <= 8, "%s", name);
    if (!strcmp(name, ".") || !strcmp(name, "..")) {
        CHECK(at[18] == S_IFDIR >> 12 && number == root_inode->number);
        return size;
    }
    u32 k = (u32)(name[0] - 'a') + 26 * (u32)(name[1] - 'a');
    struct dentry *d = find(k);
    CHECK_IN(d && d->length == n && d->inode->number == number && at[18] == d->inode->mode >> 12, "%s", name);
    CHECK_IN(!seen[k]++, "%s is listed twice", name);
    return size;
}

/* As many records as fit. False at the end. */
static bool list_some(size_t size) {
    memset(buffer, 0xee, sizeof buffer);
    i64 n = directory_list(&file, (u64)buffer, size);
    CHECK_IN(n >= 0 && n <= (i64)size, "%ld", n);
    CHECK(buffer[n] == 0xee);
    for (i64 at = 0; at < n;)
        at += take_record(buffer + at, (size_t)(n - at));
    return n > 0;
}

TEST(every_name_is_listed_once_whatever_the_buffer) {
    static const size_t sizes[] = {120, 128, 200, 1000, sizeof buffer - 1};
    start(NAMES);
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        memset(seen, 0, sizeof seen);
        file.position = 0;
        file.dir_next = NULL;
        while (list_some(sizes[i]))
            ;
        for (u32 k = 0; k < NAMES; k++)
            CHECK_IN(seen[k], "name %u with %zu bytes", k, sizes[i]);
        CHECK(!list_some(sizes[i]));
    }
}

TEST(names_that_stay_are_listed_while_others_come_and_go) {
    start(NAMES / 2);
    for (int round = 0; round < 100; round++) {
        u8 stayed[NAMES];
        for (u32 k = 0; k < NAMES; k++)
            stayed[k] = find(k) != NULL;
        memset(seen, 0, sizeof seen);
        file.position = 0;
        file.dir_next = NULL;
        while (list_some(200 + random_below(600))) {
            u32 k = (u32)random_below(NAMES);
            if (find(k)) {
                directory_remove(find(k));
                stayed[k] = 0;
                seen[k] = 0;                    /* may come back under the same name */
            } else {
                add(k);
            }
        }
        for (u32 k = 0; k < NAMES; k++)
            CHECK_IN(!stayed[k] || seen[k], "name %u, round %d", k, round);
    }
}

TEST(a_name_that_is_replaced_by_a_rename_stays_listed) {
    start(10);
    size_t n;
    CHECK(list_some(200));
    struct dentry *eighth = find(8);
    const char *name = name_of(9, &n);
    CHECK_EQUAL(directory_rename(eighth, root_inode, name, n), 0);
    while (list_some(200))
        ;
    for (u32 k = 0; k < 10; k++)
        CHECK_IN(seen[k] == (k != 8), "name %u", k);
}

TEST(names_that_are_added_at_the_end_are_found_there) {
    start(3);
    while (list_some(sizeof buffer - 1))
        ;
    add(3);
    CHECK(list_some(sizeof buffer - 1));
    CHECK(seen[3] && !list_some(sizeof buffer - 1));
}

TEST(a_buffer_that_is_too_small_or_bad_is_an_error_and_loses_nothing) {
    start(1);
    CHECK_EQUAL(directory_list(&file, (u64)buffer, 23), -EINVAL);
    program_fault = (u64)buffer + 10;
    CHECK_EQUAL(directory_list(&file, (u64)buffer, 1000), -EFAULT);
    program_fault = (u64)buffer + 30;
    CHECK_EQUAL(directory_list(&file, (u64)buffer, 1000), 24);
    program_fault = 0;
    CHECK_EQUAL(directory_list(&file, (u64)buffer, 1000), 48);
    CHECK_EQUAL(directory_list(&file, (u64)buffer, 1000), 0);
}

TEST(a_removed_directory_cannot_be_listed) {
    start(0);
    struct inode *dir = inode_get(inode_new(S_IFDIR));
    CHECK_EQUAL(directory_add(root_inode, "d", 1, dir), 0);
    directory_remove(directory_find(root_inode, "d", 1));
    file.inode = dir;
    CHECK_EQUAL(directory_list(&file, (u64)buffer, 1000), -ENOENT);
}
