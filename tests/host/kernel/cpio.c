/* fs/cpio.c: the tree that an archive describes, and no harm from archives that are cut off or corrupted. The
 * archive is as long as its block, so that the address sanitizer sees every byte too much. */
#include "fs/inode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "fs/inode.h"
#include "shim/heap.h"
#include "shim/machine.h"
#include "shim/program.h"

static u8 built[20000];
static size_t built_size;
static u8 *archive;                             /* stays until the tree is gone: files refer to it */
static long objects_at_first;

static void start(void) {
    machine_memory(4);
    pmm_init();
    inode_init();
    /* The table of names stays once it is there. */
    CHECK_EQUAL(directory_add(root_inode, "x", 1, inode_new(S_IFREG)), 0);
    directory_remove(directory_find(root_inode, "x", 1));
    path_release(path_buffer());                /* so does this */
    objects_at_first = heap_objects;
}

static void add_bytes(const void *bytes, size_t n) {
    memcpy(built + built_size, bytes, n);
    built_size += n;
    while (built_size % 4)
        built[built_size++] = 0;
}

static void add_entry(const char *name, u32 mode, u32 number, u32 links, const char *content) {
    char header[111];
    u16 size = (u16)strlen(content), name_size = (u16)(strlen(name) + 1);
    /* magic ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check */
    snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", number, mode, 0, 0, links,
             1700000000 + number, size, 0, 0, 5, 1, name_size, 0);
    memcpy(built + built_size, header, 110);
    built_size += 110;
    add_bytes(name, name_size);
    add_bytes(content, size);
}

static void add_end(void) { add_entry("TRAILER!!!", 0, 0, 1, ""); }

static u64 unpack(const void *bytes, size_t size) {
    archive = malloc(size ? size : 1);
    CHECK(archive);
    memcpy(archive, bytes, size);
    return cpio_unpack(archive, size);
}

static void empty(struct inode *dir) {
    while (!list_empty(&dir->directory.entries)) {
        struct dentry *d = list_first(&dir->directory.entries, struct dentry, link);
        if (is_directory(d->inode))
            empty(d->inode);
        directory_remove(d);
    }
}

/* Takes the tree away: nothing may be left of it, nor hold anything else. */
static void clean(void) {
    empty(root_inode);
    CHECK_EQUAL(inode_total, 1);
    CHECK_EQUAL(heap_objects, objects_at_first);
    free(archive);
}

static struct inode *at(const char *name) {
    static struct path path;
    CHECK_IN(!path_resolve(root_inode, name, 0, &path), "%s", name);
    return path.inode;
}

static const char *content_of(struct inode *i) {
    static char text[200];
    struct span to = kernel_span(text, sizeof text - 1);
    i64 n = regular_read(i, &to, &(u64){0});
    CHECK(n >= 0);
    text[n] = 0;
    return text;
}

/* All of a tree is read, whatever is in it. */
static void read_all(struct inode *dir) {
    list_for(l, &dir->directory.entries) {
        struct inode *i = list_item(l, struct dentry, link)->inode;
        if (is_directory(i))
            read_all(i);
        else if (is_regular(i))
            content_of(i);
        else if (is_symlink(i))
            CHECK(strlen(i->target) <= i->size);
    }
}

static void build_usual_tree(void) {
    add_entry(".", S_IFDIR | 0755, 1, 5, "");
    add_entry("dev", S_IFDIR | 0755, 2, 2, "");
    add_entry("dev/null", S_IFCHR | 0666, 3, 1, "");
    add_entry("usr", S_IFDIR | 0755, 4, 3, "");
    add_entry("usr/one", S_IFREG | 0644, 5, 1, "first file");
    add_entry("usr/two", S_IFREG | 0755, 6, 2, "");
    add_entry("usr/three", S_IFREG | 0755, 6, 2, "linked");
    add_entry("usr/link", S_IFLNK | 0777, 7, 1, "one");
    add_entry("usr/empty", S_IFREG | 0600, 8, 1, "");
    add_end();
}

TEST(an_archive_becomes_a_tree) {
    start();
    build_usual_tree();
    CHECK_EQUAL(unpack(built, built_size), 8);
    CHECK_EQUAL(machine_errors, 0);
    CHECK_EQUAL(at("usr")->mode, S_IFDIR | 0755);
    CHECK_EQUAL(at("dev/null")->rdev, 5 << 8 | 1);
    CHECK_TEXT(content_of(at("usr/one")), "first file");
    CHECK(at("usr/one")->mtime.sec == 1700000005 && at("usr/one")->ctime.sec == 1700000005);
    CHECK(at("usr/two") == at("usr/three") && at("usr/two")->links == 2);
    CHECK_TEXT(content_of(at("usr/two")), "linked");
    CHECK_TEXT(at("usr/link")->target, "one");
    CHECK(at("usr/link")->size == 3 && !at("usr/empty")->size);
    clean();
}

TEST(later_entries_replace_earlier_ones) {
    start();
    add_entry("d", S_IFDIR | 0755, 1, 2, "");
    add_entry("d/f", S_IFREG | 0644, 2, 1, "old");
    add_entry("d", S_IFDIR | 0700, 3, 2, "");
    add_entry("d/f", S_IFREG | 0600, 4, 1, "new");
    add_entry("l", S_IFLNK | 0777, 5, 1, "d");
    add_entry("l", S_IFREG | 0644, 6, 1, "no link");
    add_entry("e", S_IFDIR | 0755, 7, 2, "");
    add_entry("e", S_IFLNK | 0777, 8, 1, "d");
    add_entry("e/g", S_IFREG | 0644, 9, 1, "through the link");
    add_end();
    unpack(built, built_size);
    CHECK_EQUAL(machine_errors, 0);
    CHECK_EQUAL(at("d")->mode, S_IFDIR | 0700);
    CHECK_TEXT(content_of(at("d/f")), "new");
    CHECK_TEXT(content_of(at("l")), "no link");
    CHECK_TEXT(content_of(at("d/g")), "through the link");
    clean();
}

TEST(concatenated_archives_have_their_own_link_numbers) {
    start();
    add_entry("a", S_IFREG | 0644, 7, 2, "one");
    add_end();
    add_bytes("\0\0\0\0\0\0\0\0", 8);
    add_entry("b", S_IFREG | 0644, 7, 2, "two");
    add_end();
    CHECK_EQUAL(unpack(built, built_size), 2);
    CHECK_EQUAL(machine_errors, 0);
    CHECK(at("a") != at("b"));
    CHECK_TEXT(content_of(at("a")), "one");
    CHECK_TEXT(content_of(at("b")), "two");
    clean();
}

TEST(names_may_be_padded_with_nuls) {
    start();
    add_entry("f", S_IFREG | 0644, 1, 1, "content");
    memcpy(built + 94, "00000006", 8);          /* c_namesize: fills up to the content at 116 */
    add_end();
    CHECK_EQUAL(unpack(built, 112), 0);
    free(archive);
    memmove(built + 116, built + 112, built_size - 112);
    memset(built + 111, 0, 5);
    CHECK_EQUAL(unpack(built, built_size + 4), 1);
    CHECK_TEXT(content_of(at("f")), "content");
    clean();
}

TEST(links_to_names_that_are_gone_start_again) {
    start();
    add_entry("a", S_IFREG | 0644, 7, 2, "one");
    add_entry("a", S_IFREG | 0644, 7, 2, "the same again");
    add_entry("a", S_IFREG | 0644, 8, 1, "another");
    add_entry("b", S_IFREG | 0644, 7, 2, "two");
    add_end();
    CHECK_EQUAL(unpack(built, built_size), 4);
    CHECK_TEXT(content_of(at("a")), "another");
    CHECK_TEXT(content_of(at("b")), "two");
    clean();
}

TEST(a_directorys_number_is_no_files) {
    start();
    add_entry("d", S_IFDIR | 0755, 7, 2, "");
    add_entry("f", S_IFREG | 0644, 7, 2, "file");
    add_end();
    CHECK_EQUAL(unpack(built, built_size), 2);
    CHECK(is_directory(at("d")) && is_regular(at("f")));
    clean();
}

TEST(entries_that_have_no_place_are_reported_and_left_out) {
    start();
    add_entry("no/such/place", S_IFREG | 0644, 1, 2, "x");
    add_entry("f", S_IFREG | 0644, 2, 1, "x");
    add_entry("f/g", S_IFREG | 0644, 3, 1, "x");
    add_entry("d", S_IFDIR | 0755, 4, 2, "");
    add_entry("d/", S_IFREG | 0644, 5, 1, "x");
    add_entry("d/e", S_IFREG | 0644, 6, 1, "x");
    add_entry("d", S_IFREG | 0644, 7, 1, "x");
    add_end();
    unpack(built, built_size);
    CHECK_EQUAL(machine_errors, 4);
    CHECK(is_directory(at("d")) && is_regular(at("d/e")));
    clean();
}

TEST(an_archive_that_is_cut_off_anywhere_is_reported) {
    start();
    build_usual_tree();
    for (size_t size = 1; size < built_size; size++) {
        machine_errors = 0;
        unpack(built, size);
        read_all(root_inode);
        /* The padding behind the trailer's name may be missing. */
        CHECK_IN(machine_errors || size + 4 > built_size, "%zu of %zu bytes", size, built_size);
        clean();
    }
}

TEST(what_is_no_archive_is_reported) {
    start();
    memset(built, 'x', 500);
    for (int round = 0; round < 50; round++) {
        machine_errors = 0;
        CHECK_EQUAL(unpack(built, 500), 0);
        CHECK(machine_errors);
        clean();
        random_fill(built, 500);
    }
}

/* Every byte of every header and name in turn: other digits, no digits, anything. */
TEST(no_corrupted_byte_does_harm) {
    static const char wrong[] = "0127f8F/zg@ \xff";
    start();
    build_usual_tree();
    machine_quiet = true;
    for (size_t k = 0; k < built_size; k++) {
        u8 before = built[k];
        for (const char *c = wrong; *c; c++) {
            built[k] = (u8)*c;
            unpack(built, built_size);
            read_all(root_inode);
            clean();
        }
        built[k] = before;
    }
}

TEST(no_pile_of_random_damage_does_harm) {
    start();
    build_usual_tree();
    machine_quiet = true;
    for (int round = 0; round < 5000; round++) {
        u8 copy[sizeof built];
        memcpy(copy, built, built_size);
        for (u64 n = 1 + random_below(20); n; n--) {
            u64 k = random_below(built_size);
            /* A byte of another place often means something here. */
            copy[k] = random_below(2) ? built[random_below(built_size)] : (u8)random_u64();
        }
        unpack(copy, built_size - random_below(4) * random_below(100));
        read_all(root_inode);
        clean();
    }
}

TEST(short_memory_leaves_entries_out_and_loses_nothing) {
    start();
    build_usual_tree();
    heap_left = 1000;
    unpack(built, built_size);
    long needed = 1000 - heap_left;
    clean();
    for (long left = 0; left < needed; left++) {
        machine_errors = 0;
        heap_left = left;
        unpack(built, built_size);
        heap_left = -1;
        CHECK_IN(machine_errors, "with %ld of %ld objects", left, needed);
        read_all(root_inode);
        clean();
    }
}
