/* fs/directory.c: names come and go at random and agree with a table; listings miss nothing that stays. */
#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "fs/inode.h"
#include "shim/heap.h"
#include "shim/machine.h"
#include "shim/program.h"

#define DIRECTORIES 5                           /* things 0 to 4; 0 is the root */
#define THINGS 30                               /* the rest are files */
#define NAMES 12

/* Which thing a name in a directory means; 0: none. */
static int table[DIRECTORIES][NAMES];
static struct inode *things[THINGS];            /* NULL: does not exist */

static const char *name_of(int name, size_t *length) {
    static char text[NAMES][40];
    *length = (size_t)name * 3 + 1;
    memset(text[name], 'a' + name, *length);
    return text[name];
}

static void start(void) {
    machine_memory(4);
    pmm_init();
    inode_init();
    things[0] = root_inode;
}

static struct dentry *find(int dir, int name) {
    size_t n;
    const char *text = name_of(name, &n);
    return directory_find(things[dir], text, n);
}

static bool is_empty(int dir) {
    for (int name = 0; name < NAMES; name++)
        if (table[dir][name])
            return false;
    return true;
}

/* Where a directory's name is; false for the root. */
static bool locate(int thing, int *dir, int *name) {
    for (*dir = 0; *dir < DIRECTORIES; ++*dir)
        for (*name = 0; *name < NAMES; ++*name)
            if (thing && table[*dir][*name] == thing)
                return true;
    return false;
}

static bool is_inside(int dir, int above) {
    for (int name; dir != above;)
        if (!locate(dir, &dir, &name))
            return false;
    return true;
}

static unsigned names_of(int thing) {
    unsigned count = 0;
    for (int k = 0; k < DIRECTORIES * NAMES; k++)
        count += table[k / NAMES][k % NAMES] == thing;
    return count;
}

static void add(int dir, int name) {
    int thing = 1 + (int)random_below(THINGS - 1);
    size_t n;
    const char *text = name_of(name, &n);
    if (thing < DIRECTORIES && things[thing])
        return;                                 /* a directory has one name */
    if (!things[thing])
        things[thing] = inode_new(thing < DIRECTORIES ? S_IFDIR | 0755 : S_IFREG | 0644);
    CHECK_EQUAL(directory_add(things[dir], text, n, things[thing]), 0);
    table[dir][name] = thing;
}

static void forget(int thing) {
    if (!names_of(thing))
        things[thing] = NULL;
}

static void take_away(int dir, int name) {
    int thing = table[dir][name];
    if (thing < DIRECTORIES && !is_empty(thing))
        return;
    directory_remove(find(dir, name));
    table[dir][name] = 0;
    forget(thing);
}

static void move(int dir, int name, int new_dir, int new_name) {
    int thing = table[dir][name], target = table[new_dir][new_name];
    size_t n;
    const char *text = name_of(new_name, &n);
    /* What sys_rename would refuse. */
    if ((thing < DIRECTORIES && is_inside(new_dir, thing)) || target == thing)
        return;
    if (target && (thing < DIRECTORIES) != (target < DIRECTORIES))
        return;
    if (target && target < DIRECTORIES && (!is_empty(target) || is_inside(dir, target)))
        return;
    CHECK_EQUAL(directory_rename(find(dir, name), things[new_dir], text, n), 0);
    table[dir][name] = 0;
    table[new_dir][new_name] = thing;
    if (target)
        forget(target);
}

static void random_step(void) {
    int dir = (int)random_below(DIRECTORIES), name = (int)random_below(NAMES), other = (int)random_below(DIRECTORIES);
    if (!things[dir] || !things[other])
        return;
    if (!table[dir][name])
        add(dir, name);
    else if (random_below(3))
        move(dir, name, other, (int)random_below(NAMES));
    else
        take_away(dir, name);
}

static void check_path(int thing) {
    char wanted[400], found[400];
    size_t at = sizeof wanted - 1, n;
    wanted[at] = 0;
    for (int dir = thing, name; locate(dir, &dir, &name);) {
        const char *text = name_of(name, &n);
        at -= n + 1;
        wanted[at] = '/';
        memcpy(wanted + at + 1, text, n);
    }
    if (!thing)
        wanted[--at] = '/';
    size_t length = sizeof wanted - at;
    CHECK_EQUAL(directory_path(things[thing], found, sizeof found), length);
    CHECK_TEXT(found, wanted + at);
    CHECK_EQUAL(directory_path(things[thing], found, length), length);
    CHECK_EQUAL(directory_path(things[thing], found, length - 1), -ERANGE);
}

static void check_directory(int dir) {
    unsigned entries = 0, directories = 0;
    for (int name = 0; name < NAMES; name++) {
        struct dentry *d = find(dir, name);
        int thing = table[dir][name];
        CHECK_IN(!d == !thing, "name %d of %d", name, dir);
        CHECK_IN(!d || (d->inode == things[thing] && d->dir == things[dir]), "name %d of %d", name, dir);
        entries += thing != 0;
        directories += thing && thing < DIRECTORIES;
        if (thing && thing < DIRECTORIES)
            CHECK(things[thing]->directory.parent == things[dir] && things[thing]->directory.self == d);
    }
    CHECK_EQUAL(things[dir]->directory.count, entries);
    CHECK_EQUAL(things[dir]->links, 2 + directories);
    u64 cookie = 0;
    list_for(l, &things[dir]->directory.entries) {
        CHECK(list_item(l, struct dentry, link)->cookie > cookie);
        cookie = list_item(l, struct dentry, link)->cookie;
        entries--;
    }
    CHECK(!entries);
    check_path(dir);
}

static void check_all(void) {
    unsigned total = 0;
    for (int thing = 0; thing < THINGS; thing++) {
        total += things[thing] != NULL;
        if (things[thing] && thing < DIRECTORIES)
            check_directory(thing);
        else if (things[thing])
            CHECK_EQUAL(things[thing]->links, names_of(thing));
    }
    CHECK_EQUAL(inode_total, total);
}

TEST(random_changes_agree_with_a_table) {
    start();
    for (int round = 0; round < 10000; round++) {
        random_step();
        if (round % 8 == 0)
            check_all();
    }
    for (bool any = true; any;) {
        any = false;
        for (int k = 0; k < DIRECTORIES * NAMES; k++)
            if (table[k / NAMES][k % NAMES]) {
                take_away(k / NAMES, k % NAMES);
                any = true;
            }
    }
    check_all();
    CHECK_EQUAL(heap_objects, 2);               /* the root and the table of names */
}

TEST(a_failed_allocation_changes_nothing) {
    start();
    things[10] = inode_get(inode_new(S_IFREG));
    for (int name = 0; name < 2; name++) {
        size_t n;
        const char *text = name_of(name, &n);
        heap_left = 0;
        CHECK_EQUAL(directory_add(root_inode, text, n, things[10]), -ENOSPC);
        heap_left = name ? -1 : 1;
        CHECK_EQUAL(directory_add(root_inode, text, n, things[10]), name ? 0 : -ENOSPC);
        table[0][name] = name ? 10 : 0;
        check_directory(0);
    }
    heap_left = 0;
    CHECK_EQUAL(directory_rename(find(0, 1), root_inode, "other", 5), -ENOSPC);
    heap_left = -1;
    check_all();
}

TEST(thousands_of_names_are_found_and_taken_away) {
    start();
    long objects = 0;
    for (unsigned round = 0; round < 2; round++) {
        for (u32 k = 0; k < 20000; k++)
            CHECK_EQUAL(directory_add(root_inode, (const char *)&k, sizeof k, inode_new(S_IFREG)), 0);
        for (u32 k = 0; k < 20000; k++)
            directory_remove(directory_find(root_inode, (const char *)&k, sizeof k));
        CHECK(!round || heap_objects == objects);
        objects = heap_objects;
    }
    CHECK(!root_inode->directory.count && list_empty(&root_inode->directory.entries));
}

TEST(names_have_a_limit) {
    char name[INODE_NAME_MAX + 1];
    start();
    memset(name, 'x', sizeof name);
    struct inode *i = inode_get(inode_new(S_IFREG));
    CHECK_EQUAL(directory_add(root_inode, name, INODE_NAME_MAX + 1, i), -ENAMETOOLONG);
    CHECK_EQUAL(directory_add(root_inode, name, INODE_NAME_MAX, i), 0);
    CHECK(directory_find(root_inode, name, INODE_NAME_MAX) && !directory_find(root_inode, name, INODE_NAME_MAX - 1));
}

TEST(an_open_file_outlives_its_name) {
    start();
    struct inode *i = inode_get(inode_new(S_IFREG));
    CHECK_EQUAL(directory_add(root_inode, "f", 1, i), 0);
    directory_remove(directory_find(root_inode, "f", 1));
    CHECK(inode_total == 2 && !i->links);
    inode_put(i);
    CHECK_EQUAL(inode_total, 1);
}

TEST(a_removed_directory_in_use_has_no_path_and_takes_no_names) {
    char path[20];
    start();
    struct inode *dir = inode_get(inode_new(S_IFDIR)), *i = inode_get(inode_new(S_IFREG));
    CHECK_EQUAL(directory_add(root_inode, "d", 1, dir), 0);
    directory_remove(directory_find(root_inode, "d", 1));
    CHECK_EQUAL(directory_path(dir, path, sizeof path), -ENOENT);
    CHECK_EQUAL(directory_add(dir, "f", 1, i), -ENOENT);
    inode_put(dir);
    inode_put(i);
    CHECK_EQUAL(inode_total, 1);
}
