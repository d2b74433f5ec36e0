/* fs/path.c: POSIX.1-2017, section 4.13, as a table; links that loop, names that are too long. */
#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "shim/heap.h"
#include "shim/machine.h"

static struct path path;

static struct inode *make_in(struct inode *dir, const char *name, u32 mode, const char *target) {
    struct inode *i = inode_new(mode);
    CHECK(i);
    if (target) {
        i->size = strlen(target);
        i->target = kstrdup(target, i->size);
    }
    CHECK_EQUAL(directory_add(dir, name, strlen(name), i), 0);
    return i;
}

static struct inode *a, *b, *f, *loop, *to_b, *to_f;

/*  /a/  /a/b/  /a/b/f  /a/b/up -> ..  /to_b -> a/b  /a/to_f -> /a/b/f  /broken -> nowhere  /loop -> /loop  */
static void start(void) {
    machine_memory(4);
    pmm_init();
    inode_init();
    a = make_in(root_inode, "a", S_IFDIR, NULL);
    b = make_in(a, "b", S_IFDIR, NULL);
    f = make_in(b, "f", S_IFREG, NULL);
    make_in(b, "up", S_IFLNK, "..");
    to_b = make_in(root_inode, "to_b", S_IFLNK, "a/b");
    to_f = make_in(a, "to_f", S_IFLNK, "/a/b/f");
    make_in(root_inode, "broken", S_IFLNK, "nowhere");
    loop = make_in(root_inode, "loop", S_IFLNK, "/loop");
    make_in(root_inode, "slashes", S_IFLNK, "a//b/");
}

static void check(struct inode *base, const char *text, unsigned flags, struct inode *wanted) {
    int error = path_resolve(base, text, flags, &path);
    CHECK_IN(!error, "%s, flags %u: error %d", text, flags, error);
    CHECK_IN(path.inode == wanted, "%s, flags %u", text, flags);
}

static void check_error(struct inode *base, const char *text, unsigned flags, int wanted) {
    int error = path_resolve(base, text, flags, &path);
    CHECK_IN(error == wanted, "%s, flags %u: %d, not %d", text, flags, error, wanted);
}

TEST(paths_lead_where_posix_says) {
    start();
    check(a, "/", 0, root_inode);
    check(a, "///", 0, root_inode);
    check(a, ".", 0, a);
    check(a, "./", 0, a);
    check(a, "..", 0, root_inode);
    check(root_inode, "..", 0, root_inode);
    check(root_inode, "/../../a", 0, a);
    check(root_inode, "a", 0, a);
    check(root_inode, "a/", 0, a);
    check(root_inode, "a//b///f", 0, f);
    check(b, "./../b/./f", 0, f);
    check(a, "b/f", 0, f);
    check(b, "/a/b/f", 0, f);
    check(a, "b/../../a/b", 0, b);
}

TEST(links_are_followed_in_the_middle_and_at_the_end_if_asked_for) {
    start();
    check(root_inode, "to_b", 0, to_b);
    check(root_inode, "to_b", PATH_FOLLOW, b);
    check(root_inode, "to_b/", 0, b);
    check(root_inode, "to_b/f", 0, f);
    check(a, "/to_b/up/to_f", PATH_FOLLOW, f);
    check(a, "to_f", 0, to_f);
    check(a, "to_f", PATH_FOLLOW, f);
    check(root_inode, "to_b/up/b/up", PATH_FOLLOW, a);
    check(root_inode, "slashes/f", 0, f);
    check(root_inode, "slashes", PATH_FOLLOW, b);
    check(root_inode, "loop", 0, loop);
}

TEST(what_cannot_be_reached_is_an_error) {
    start();
    check_error(root_inode, "", 0, -ENOENT);
    check_error(root_inode, "x", 0, -ENOENT);
    check_error(root_inode, "x/y", PATH_PARENT, -ENOENT);
    check_error(root_inode, "a/x/", 0, -ENOENT);
    check_error(root_inode, "a/b/f/", 0, -ENOTDIR);
    check_error(root_inode, "a/b/f/x", 0, -ENOTDIR);
    check_error(root_inode, "a/b/f/..", 0, -ENOTDIR);
    check_error(root_inode, "a/b/f/.", 0, -ENOTDIR);
    check_error(a, "to_f/", 0, -ENOTDIR);
    check_error(a, "to_f/x", 0, -ENOTDIR);
    check_error(root_inode, "broken", PATH_FOLLOW, -ENOENT);
    check_error(root_inode, "broken/x", PATH_PARENT, -ENOENT);
    check_error(root_inode, "loop", PATH_FOLLOW, -ELOOP);
    check_error(root_inode, "loop/x", PATH_PARENT, -ELOOP);
    check_error(root_inode, "loop/", 0, -ELOOP);
}

static void check_parent(struct inode *base, const char *text, struct inode *dir, const char *name, bool slash, bool special) {
    int error = path_resolve(base, text, PATH_PARENT, &path);
    CHECK_IN(!error && path.dir == dir, "%s: error %d", text, error);
    CHECK_IN(path.length == strlen(name) && !memcmp(path.name, name, path.length), "%s: %.*s", text, (int)path.length, path.name);
    CHECK_IN(path.wants_directory == slash && path.is_special == special, "%s", text);
}

TEST(the_last_name_may_be_missing) {
    start();
    check_parent(root_inode, "new", root_inode, "new", false, false);
    CHECK(!path.inode);
    check_parent(root_inode, "a/b/new/", b, "new", true, false);
    CHECK(!path.inode);
    check_parent(root_inode, "to_b/new", b, "new", false, false);
    CHECK(!path.inode);
    check_parent(root_inode, "a/b/f", b, "f", false, false);
    CHECK(path.inode == f);
    check_parent(root_inode, "to_b", root_inode, "to_b", false, false);
    CHECK(path.inode == to_b);
}

TEST(names_that_cannot_be_changed_are_marked) {
    start();
    check_parent(root_inode, "/", root_inode, "", false, true);
    check_parent(root_inode, "a/.", a, ".", false, true);
    check_parent(root_inode, "a/b/..", b, "..", false, true);
    check_parent(root_inode, "a/...", a, "...", false, false);
    check_parent(root_inode, "a/.x", a, ".x", false, false);
    check_parent(root_inode, "a/x.", a, "x.", false, false);
}

TEST(a_name_that_is_meant_itself_is_not_followed_for_its_slash) {
    start();
    check(root_inode, "to_b", PATH_PARENT, to_b);
    check(root_inode, "to_b/up/b/", PATH_PARENT, b);
    check_parent(root_inode, "to_b/", root_inode, "to_b", true, false);
    CHECK(path.inode == to_b);
    check_parent(root_inode, "broken/", root_inode, "broken", true, false);
    CHECK(is_symlink(path.inode));
    CHECK_EQUAL(path_resolve(root_inode, "to_b/", PATH_FOLLOW | PATH_PARENT, &path), 0);
    CHECK(path.inode == to_b && path.wants_directory);
}

TEST(a_broken_link_names_where_a_file_would_be_made) {
    start();
    CHECK_EQUAL(path_resolve(a, "/broken", PATH_FOLLOW | PATH_PARENT, &path), 0);
    CHECK(!path.inode && path.dir == root_inode && path.length == 7 && !memcmp(path.name, "nowhere", 7));
}

TEST(forty_links_are_followed_and_no_more) {
    char name[4] = "l00", target[4] = "l00";
    start();
    make_in(root_inode, "l00", S_IFLNK, "a");
    for (int k = 1; k <= 40; k++) {
        memcpy(target, name, 4);
        name[1] = (char)('0' + k / 10);
        name[2] = (char)('0' + k % 10);
        make_in(root_inode, name, S_IFLNK, target);
    }
    check(root_inode, "l39", PATH_FOLLOW, a);
    check_error(root_inode, "l40", PATH_FOLLOW, -ELOOP);
    check(root_inode, "l20/b/../../l10/b", 0, b);
    check_error(root_inode, "l20/b/../../l20/b", 0, -ELOOP);
}

TEST(paths_and_names_have_limits) {
    static char text[PATH_MAX + 2], target[PATH_MAX];
    start();
    memset(text, '/', PATH_MAX);
    check_error(root_inode, text, 0, -ENAMETOOLONG);
    text[PATH_MAX - 1] = 0;
    check(a, text, 0, root_inode);
    memset(text, 'x', INODE_NAME_MAX + 1);
    text[INODE_NAME_MAX + 1] = 0;
    check_error(root_inode, text, PATH_PARENT, -ENAMETOOLONG);
    text[INODE_NAME_MAX] = 0;
    check_error(root_inode, text, 0, -ENOENT);
    check_parent(root_inode, text, root_inode, text, false, false);
    /* A link that makes the path too long. */
    for (size_t i = 0; i < 4000; i++)
        target[i] = i % 2 ? '/' : '.';
    make_in(root_inode, "far", S_IFLNK, target);
    check(a, "/far/a", 0, a);
    memset(text, '/', 200);
    memcpy(text, "far", 3);
    check_error(root_inode, text, 0, -ENOENT);
    memset(text, 0, sizeof text);
    for (size_t i = 0; i < 200; i++)
        text[i] = i % 2 ? '/' : '.';
    memcpy(text, "far/", 4);
    check_error(root_inode, text, 0, -ENAMETOOLONG);
}

TEST(random_paths_end_in_one_way_or_another) {
    static const char *const parts[] = {
        "a", "b", "f", ".", "..", "up", "to_b", "to_f", "broken", "loop", "slashes", "/", "//", "x"};
    start();
    for (int round = 0; round < 20000; round++) {
        char text[200] = "";
        for (u64 n = random_below(12); n; n--) {
            strcat(text, parts[random_below(ARRAY_SIZE(parts))]);
            if (random_below(5))
                strcat(text, "/");
        }
        int error = path_resolve(a, text, (unsigned)random_below(4), &path);
        CHECK_IN(!error || error == -ENOENT || error == -ENOTDIR || error == -ELOOP, "%s: %d", text, error);
        CHECK_IN(error || is_directory(path.dir), "%s", text);
        if (!error && !path.is_special && path.inode)
            CHECK_IN(directory_find(path.dir, path.name, path.length)->inode == path.inode, "%s", text);
    }
}

TEST(the_parent_of_a_removed_directory_is_not_looked_for) {
    start();
    directory_remove(directory_find(b, "f", 1));
    directory_remove(directory_find(b, "up", 2));
    inode_get(b);
    directory_remove(directory_find(a, "b", 1));
    directory_remove(directory_find(a, "to_f", 4));
    directory_remove(directory_find(root_inode, "a", 1));
    check_error(b, "..", 0, -ENOENT);
    check_error(b, "../x", PATH_PARENT, -ENOENT);
    check(b, ".", 0, b);
    check(b, "/", 0, root_inode);
}

TEST(buffers_are_kept_for_the_next_path) {
    machine_memory(4);
    struct path *p[6];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
            CHECK((p[i] = path_buffer()));
            memset(p[i]->buffer, (int)i, sizeof p[i]->buffer);
        }
        for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
            path_release(p[i]);
        CHECK_EQUAL(heap_objects, 4);
    }
}
