/* Directories: every name of the file system in one hash table, each directory's names in a list. */
#include "core/errno.h"
#include "core/panic.h"
#include "core/string.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"

static struct dentry **table;
static u32 table_size, entry_count;
static u64 next_cookie = 2;                     /* 0 and 1 are "." and ".." in listings */

/* FNV-1a over the name, mixed with the directory. */
static u32 hash_name(const struct inode *dir, const char *name, size_t length) {
    u32 h = 2166136261u ^ (u32)dir->number * 2654435761u;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (u8)name[i]) * 16777619u;
    return h ^ h >> 15;
}

static bool grow(void) {
    u32 wanted = table_size ? table_size * 4 : 1024;
    struct dentry **bigger = kzalloc(wanted * sizeof *bigger);
    if (!bigger)
        return table_size > 0;                  /* longer chains rather than failure */
    for (u32 i = 0; i < table_size; i++)
        for (struct dentry *d = table[i], *next; d; d = next) {
            next = d->hash_next;
            d->hash_next = bigger[d->hash & (wanted - 1)];
            bigger[d->hash & (wanted - 1)] = d;
        }
    kfree(table);
    table = bigger;
    table_size = wanted;
    return true;
}

struct dentry *directory_find(struct inode *dir, const char *name, size_t length) {
    if (!table_size)
        return NULL;
    u32 hash = hash_name(dir, name, length);
    for (struct dentry *d = table[hash & (table_size - 1)]; d; d = d->hash_next)
        if (d->hash == hash && d->dir == dir && d->length == length && !memcmp(d->name, name, length))
            return d;
    return NULL;
}

/* A name that is not yet in its directory: -ENAMETOOLONG, -ENOENT, -ENOSPC. */
static int new_entry(struct inode *dir, const char *name, size_t length, struct inode *inode, struct dentry **entry) {
    if (length > INODE_NAME_MAX)
        return -ENAMETOOLONG;
    if (directory_removed(dir))
        return -ENOENT;
    struct dentry *d = entry_count < table_size * 2 || grow() ? kmalloc(sizeof *d + length) : NULL;
    if (!d)
        return -ENOSPC;
    *d = (struct dentry){.dir = dir, .inode = inode, .cookie = next_cookie++, .hash = hash_name(dir, name, length), .length = (u16)length};
    memcpy(d->name, name, length);
    *entry = d;
    return 0;
}

static void link_entry(struct dentry *d) {
    struct inode *dir = d->dir, *inode = d->inode;
    d->hash_next = table[d->hash & (table_size - 1)];
    table[d->hash & (table_size - 1)] = d;
    list_append(&dir->directory.entries, &d->link);
    dir->directory.count++;
    entry_count++;
    inode->links++;
    if (is_directory(inode)) {
        inode->directory.parent = dir;
        inode->directory.self = d;
        dir->links++;
    }
    inode_touch(dir);
    inode->ctime = dir->ctime;
}

int directory_add(struct inode *dir, const char *name, size_t length, struct inode *inode) {
    struct dentry *d;
    int error = new_entry(dir, name, length, inode, &d);
    if (!error)
        link_entry(d);
    return error;
}

static void unlink_entry(struct dentry *d) {
    struct dentry **p = &table[d->hash & (table_size - 1)];
    while (*p != d)
        p = &(*p)->hash_next;
    *p = d->hash_next;
    list_remove(&d->link);
    struct inode *dir = d->dir;
    dir->directory.count--;
    dir->directory.generation++;
    entry_count--;
    d->inode->links--;
    if (is_directory(d->inode)) {
        d->inode->directory.self = NULL;
        dir->links--;
    }
    inode_touch(dir);
    d->inode->ctime = dir->ctime;
}

void directory_remove(struct dentry *d) {
    struct inode *inode = d->inode;
    unlink_entry(d);
    kfree(d);
    inode_reap(inode);
}

int directory_rename(struct dentry *d, struct inode *new_dir, const char *name, size_t length) {
    struct inode *inode = d->inode;
    struct dentry *new, *old = directory_find(new_dir, name, length);
    /* The new name first: when memory is short nothing has changed. */
    int error = new_entry(new_dir, name, length, inode, &new);
    if (error)
        return error;
    inode_get(inode);
    if (old)
        directory_remove(old);
    directory_remove(d);
    link_entry(new);
    inode_put(inode);
    return 0;
}

i64 directory_path(const struct inode *dir, char *to, size_t size) {
    size_t at = size;
    if (at < 2)
        return -ERANGE;
    to[--at] = 0;
    if (dir == root_inode)
        to[--at] = '/';
    for (const struct inode *i = dir; i != root_inode; i = i->directory.parent) {
        const struct dentry *d = i->directory.self;
        if (!d)
            return -ENOENT;                     /* removed while in use */
        if (at < d->length + 1u)
            return -ERANGE;
        at -= d->length;
        memcpy(to + at, d->name, d->length);
        to[--at] = '/';
    }
    memmove(to, to + at, size - at);
    return (i64)(size - at);
}

i64 inode_path(const struct inode *i, char *to, size_t size) {
    for (u32 slot = 0; slot < table_size; slot++)
        for (struct dentry *d = table[slot]; d; d = d->hash_next) {
            i64 n = d->inode == i ? directory_path(d->dir, to, size) : 0;
            if (!n)
                continue;
            n -= n == 2;                        /* in the root: no second slash */
            if (n < 0 || (size_t)n + d->length + 1 > size)
                return n < 0 ? n : -ERANGE;
            to[n - 1] = '/';
            memcpy(to + n, d->name, d->length);
            to[n + d->length] = 0;
            return n + d->length;
        }
    return -ENOENT;
}

/* ---- listings: struct linux_dirent64 ---- */

struct listing {
    u64 buffer;
    size_t left;
    i64 done;
};

/* False if it does not fit (or the buffer is bad: then done is the errno). */
static bool emit(struct listing *l, u64 number, u64 next_position, u32 mode, const char *name, size_t length) {
    u8 record[19 + INODE_NAME_MAX + 1 + 8];
    u16 size = (u16)ALIGN_UP(19 + length + 1, 8);
    memset(record, 0, size);
    memcpy(record, &number, 8);
    memcpy(record + 8, &next_position, 8);
    memcpy(record + 16, &size, 2);
    record[18] = (u8)(mode >> 12);              /* DT_* are the type bits of the mode */
    memcpy(record + 19, name, length);
    int error = l->left < size ? -EINVAL : copy_to_user(l->buffer, record, size);
    if (error) {
        l->done = l->done ? l->done : error;
        return false;
    }
    l->buffer += size;
    l->left -= size;
    l->done += size;
    return true;
}

static struct list *resume(struct file *f) {
    struct inode *dir = f->inode;
    if (f->dir_next && f->dir_generation == dir->directory.generation)
        return f->dir_next;
    list_for(l, &dir->directory.entries)
        if (list_item(l, struct dentry, link)->cookie >= f->position)
            return l;
    return &dir->directory.entries;
}

i64 directory_list(struct file *f, u64 buffer, size_t size) {
    struct inode *dir = f->inode;
    struct listing l = {buffer, size, 0};
    if (directory_removed(dir))
        return -ENOENT;
    for (; f->position < 2; f->position++) {
        struct inode *i = f->position ? dir->directory.parent : dir;
        if (!emit(&l, i->number, f->position + 1, S_IFDIR, "..", f->position + 1))
            return l.done;
    }
    struct list *at = resume(f);
    while (at != &dir->directory.entries) {
        struct dentry *d = list_item(at, struct dentry, link);
        if (!emit(&l, d->inode->number, d->cookie + 1, d->inode->mode, d->name, d->length))
            break;
        f->position = d->cookie + 1;
        at = at->next;
    }
    /* At the end there is no entry to remember: the position finds what is added later. */
    f->dir_next = at == &dir->directory.entries ? NULL : at;
    f->dir_generation = dir->directory.generation;
    return l.done;
}

const struct file_ops directory_ops = {.name = "directory", .mode = S_IFDIR, .seekable = true};
