/* Path resolution, POSIX.1-2017 section 4.13. */
#include "core/errno.h"
#include "core/string.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"

#define SYMLINK_LIMIT 40

/* Replaces what has been consumed of the path (up to `rest`) by a link's target. */
static int splice(struct path *p, const char *target, const char **rest) {
    size_t target_length = strlen(target), rest_length = strlen(*rest);
    if (target_length + 1 + rest_length >= PATH_MAX)
        return -ENAMETOOLONG;
    memmove(p->buffer + target_length + (rest_length > 0), *rest, rest_length + 1);
    memcpy(p->buffer, target, target_length);
    if (rest_length)
        p->buffer[target_length] = '/';
    *rest = p->buffer;
    return 0;
}

int path_resolve(struct inode *base, const char *text, unsigned flags, struct path *p) {
    size_t length = strlen(text);
    if (!length)
        return -ENOENT;
    if (length >= PATH_MAX)
        return -ENAMETOOLONG;
    memmove(p->buffer, text, length + 1);
    const char *rest = p->buffer;
    struct inode *dir = *rest == '/' ? root_inode : base;
    int links = 0;
    for (;;) {
        while (*rest == '/')
            rest++;
        const char *name = rest;
        while (*rest && *rest != '/')
            rest++;
        size_t n = (size_t)(rest - name);
        const char *after = rest;
        while (*after == '/')
            after++;
        bool last = !*after;
        p->dir = dir;
        p->name = name;
        p->length = n;
        p->wants_directory = last && *rest == '/';
        p->is_special = !n || (n <= 2 && name[0] == '.' && name[n - 1] == '.');
        if (!is_directory(dir))
            return -ENOTDIR;
        struct inode *next;
        if (!n || (n == 1 && name[0] == '.')) {
            next = dir;
        } else if (n == 2 && name[0] == '.' && name[1] == '.') {
            if (directory_removed(dir))
                return -ENOENT;                 /* its parent may be gone as well */
            next = dir->directory.parent;
        } else {
            if (n > INODE_NAME_MAX)
                return -ENAMETOOLONG;
            struct dentry *d = directory_find(dir, name, n);
            if (!d) {
                p->inode = NULL;
                return last && flags & PATH_PARENT ? 0 : -ENOENT;
            }
            next = d->inode;
        }
        bool name_only = last && flags & PATH_PARENT && (p->wants_directory || !(flags & PATH_FOLLOW));
        if (is_symlink(next) && !name_only && (!last || flags & PATH_FOLLOW || p->wants_directory)) {
            if (++links > SYMLINK_LIMIT)
                return -ELOOP;
            if (next->target[0] == '/')
                dir = root_inode;
            int error = splice(p, next->target, &after);
            if (error)
                return error;
            if (last && p->wants_directory && strlen(p->buffer) + 2 < PATH_MAX)
                memcpy(p->buffer + strlen(p->buffer), "/", 2);
            rest = p->buffer;
            continue;
        }
        if (is_directory(next) && next->directory.mount) {
            p->mount = inode_get(next);
            p->base = 0;
            p->name = after;
            return 0;
        }
        if (last) {
            if (p->wants_directory && !is_directory(next) && !name_only)
                return -ENOTDIR;
            p->inode = next;
            return 0;
        }
        dir = next;
        rest = after;
    }
}

/* Buffers for paths are too large for the stack and asked for all the time: a few are kept. */
#define KEPT 4
static struct path *kept[KEPT];
static unsigned kept_count;

struct path *path_buffer(void) {
    struct path *p = kept_count ? kept[--kept_count] : kmalloc(sizeof(struct path));
    if (p)
        p->mount = NULL;
    return p;
}

void path_release(struct path *p) {
    if (p->mount)
        inode_put(p->mount);
    if (kept_count < KEPT)
        kept[kept_count++] = p;
    else
        kfree(p);
}

struct inode *inode_at(const char *text) {
    struct path *p = path_buffer();
    struct inode *i = p && !path_resolve(root_inode, text, PATH_FOLLOW, p) && !p->mount ? p->inode : NULL;
    if (p)
        path_release(p);
    return i;
}
