/* Names and attributes: everything that takes a path. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/string.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "mm/vm.h"
#include "sys/calls.h"

/* An existing file by path, or by descriptor when there is no path or it may be empty and is. What has no inode
 * (a pipe) gives NULL. */
static i64 resolve_inode(u64 dirfd, u64 name, u64 at_flags, struct inode **inode) {
    char first = 1;
    if (at_flags & AT_EMPTY_PATH && copy_from_user(&first, name, 1))
        return -EFAULT;
    if (at_flags & AT_NULL_NAME || !first) {
        struct file *f = fd_file((int)dirfd);
        bool here = !first && (int)dirfd == AT_FDCWD;
        *inode = f ? f->inode : here ? working_directory : NULL;
        return f || here ? 0 : -EBADF;
    }
    struct path *p;
    i64 error = path_at(dirfd, name, at_flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, &p);
    if (error)
        return error;
    *inode = p->inode;
    path_release(p);
    return 0;
}

/* ---- attributes ---- */

static i64 stat_at(u64 dirfd, u64 name, u64 at_flags, struct stat *st) {
    struct inode *i;
    i64 error = resolve_inode(dirfd, name, at_flags, &i);
    if (error)
        return error;
    if (i) {
        memset(st, 0, sizeof *st);
        inode_stat(i, st);
    } else {
        file_stat(fd_file((int)dirfd), st);
    }
    return 0;
}

i64 sys_newfstatat(u64 dirfd, u64 name, u64 to, u64 flags) {
    struct stat st;
    i64 error = stat_at(dirfd, name, flags, &st);
    return error ? error : copy_to_user(to, &st, sizeof st);
}

struct statx_time { i64 sec; u32 nsec; i32 pad; };
struct statx {
    u32 mask, blksize;
    u64 attributes;
    u32 nlink, uid, gid;
    u16 mode, pad;
    u64 ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    u32 rdev_major, rdev_minor, dev_major, dev_minor;
    u64 more[14];
};
_Static_assert(sizeof(struct statx) == 256, "Linux ABI");

static struct statx_time statx_time(struct timespec t) { return (struct statx_time){t.sec, (u32)t.nsec, 0}; }

i64 sys_statx(u64 dirfd, u64 name, u64 flags, u64 mask, u64 to) {
    struct stat st;
    i64 error = stat_at(dirfd, name, flags, &st);
    if (error)
        return error;
    struct statx x = {
        .mask = 0x7ff & (u32)(mask | 0x7ff), .blksize = (u32)st.blksize, .nlink = (u32)st.nlink, .uid = st.uid, .gid = st.gid,
        .mode = (u16)st.mode, .ino = st.ino, .size = (u64)st.size, .blocks = (u64)st.blocks, .atime = statx_time(st.atime),
        .ctime = statx_time(st.ctime), .mtime = statx_time(st.mtime), .rdev_major = (u32)(st.rdev >> 8), .rdev_minor = st.rdev & 0xff,
        .dev_minor = (u32)st.dev,
    };
    return copy_to_user(to, &x, sizeof x);
}

/* The caller is root: everything but executing what has no x bit at all. */
i64 sys_faccessat2(u64 dirfd, u64 name, u64 mode, u64 flags) {
    struct inode *i;
    if (mode & ~7ull)
        return -EINVAL;
    i64 error = resolve_inode(dirfd, name, flags, &i);
    if (error)
        return error;
    return i && mode & 1 && !is_directory(i) && !(i->mode & 0111) ? -EACCES : 0;
}

i64 change_mode(u64 dirfd, u64 name, u64 mode, u64 at_flags) {
    struct inode *i;
    i64 error = resolve_inode(dirfd, name, at_flags, &i);
    if (error || !i)
        return error;
    i->mode = (i->mode & S_IFMT) | (mode & 07777);
    i->ctime = inode_time();
    return 0;
}

i64 sys_fchownat(u64 dirfd, u64 name, u64 uid, u64 gid, u64 flags) {
    struct inode *i;
    i64 error = resolve_inode(dirfd, name, flags, &i);
    if (error || !i)
        return error;
    if ((u32)uid != UINT32_MAX)
        i->uid = (u32)uid;
    if ((u32)gid != UINT32_MAX)
        i->gid = (u32)gid;
    i->ctime = inode_time();
    return 0;
}

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

static i64 set_times(struct inode *i, struct timespec atime, struct timespec mtime) {
    struct timespec now = inode_time(), *targets[2] = {&i->atime, &i->mtime}, values[2] = {atime, mtime};
    for (int k = 0; k < 2; k++)
        if (values[k].nsec != UTIME_NOW && values[k].nsec != UTIME_OMIT && (values[k].nsec < 0 || values[k].nsec >= (i64)NS_PER_SEC))
            return -EINVAL;
    for (int k = 0; k < 2; k++)
        if (values[k].nsec != UTIME_OMIT)
            *targets[k] = values[k].nsec == UTIME_NOW ? now : values[k];
    i->ctime = now;
    return 0;
}

i64 sys_utimensat(u64 dirfd, u64 name, u64 times, u64 flags) {
    struct timespec t[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    struct inode *i;
    if (times && copy_from_user(t, times, sizeof t))
        return -EFAULT;
    i64 error = resolve_inode(dirfd, name, name || (int)dirfd == AT_FDCWD ? flags : AT_NULL_NAME, &i);
    return error || !i ? error : set_times(i, t[0], t[1]);
}

/* The two older forms: times as pairs of seconds and a fraction worth `unit` nanoseconds (0: no fraction). */
static i64 old_utime(u64 name, u64 times, i64 unit) {
    i64 t[4] = {0, 0, 0, 0};
    struct inode *i;
    if (times && copy_from_user(t, times, unit ? sizeof t : sizeof t / 2))
        return -EFAULT;
    struct timespec atime = {t[0], t[1] * unit}, mtime = {t[unit ? 2 : 1], t[3] * unit}, now = {0, UTIME_NOW};
    i64 error = resolve_inode(AT_FDCWD, name, 0, &i);
    return error ? error : set_times(i, times ? atime : now, times ? mtime : now);
}
i64 sys_utimes(u64 name, u64 times) { return old_utime(name, times, 1000); }
i64 sys_utime(u64 name, u64 times) { return old_utime(name, times, 0); }

i64 sys_truncate(u64 name, u64 size) {
    struct inode *i;
    i64 error = resolve_inode(AT_FDCWD, name, 0, &i);
    if (error)
        return error;
    return is_directory(i) ? -EISDIR : !is_regular(i) || (i64)size < 0 ? -EINVAL : regular_truncate(i, size);
}

struct statfs { u64 type, bsize, blocks, bfree, bavail, files, ffree; i32 fsid[2]; u64 namelen, frsize, flags, spare[4]; };

i64 file_system(u64 dirfd, u64 name, u64 at_flags, u64 to) {
    struct inode *i;
    i64 error = resolve_inode(dirfd, name, at_flags, &i);
    if (error)
        return error;
    u64 available = pmm_file_pages();
    struct statfs s = {.type = 0x01021994, .bsize = PAGE_SIZE, .blocks = pmm_statistics().total, .bfree = available, .bavail = available,
                       .files = inode_total + available, .ffree = available, .namelen = INODE_NAME_MAX, .frsize = PAGE_SIZE};
    return copy_to_user(to, &s, sizeof s);
}

/* ---- the working directory ---- */

i64 sys_getcwd(u64 to, u64 size) {
    struct path *p = path_buffer();
    if (!p)
        return -ENOMEM;
    i64 n = directory_path(working_directory, p->buffer, min_u64(size, sizeof p->buffer));
    if (n > 0 && copy_to_user(to, p->buffer, (size_t)n))
        n = -EFAULT;
    path_release(p);
    return n;
}

i64 change_directory(u64 dirfd, u64 name, u64 at_flags) {
    struct inode *i;
    i64 error = resolve_inode(dirfd, name, at_flags, &i);
    if (error)
        return error;
    if (!i || !is_directory(i))
        return -ENOTDIR;
    inode_get(i);
    inode_put(working_directory);
    working_directory = i;
    return 0;
}

i64 sys_umask(u64 mask) {
    u32 old = creation_mask;
    creation_mask = mask & 0777;
    return old;
}

/* ---- making names ---- */

/* Puts a new inode at a path that must not exist yet. */
static i64 make(u64 dirfd, u64 name, u32 mode, u64 rdev, const char *target) {
    struct path *p;
    i64 error = path_at(dirfd, name, PATH_PARENT, &p);
    if (error)
        return error;
    if (p->inode || (p->wants_directory && (mode & S_IFMT) != S_IFDIR)) {
        error = p->inode ? -EEXIST : -ENOENT;
    } else {
        struct inode *i = inode_new(mode);
        if (i && target && !(i->target = kstrdup(target, strlen(target)))) {
            inode_reap(i);
            i = NULL;
        }
        if (i) {
            i->size = target ? strlen(target) : 0;
            i->rdev = rdev;
        }
        error = path_create(p, i);
    }
    path_release(p);
    return error;
}

i64 sys_mkdirat(u64 dirfd, u64 name, u64 mode) { return make(dirfd, name, S_IFDIR | (mode & 01777 & ~creation_mask), 0, NULL); }

i64 sys_mknodat(u64 dirfd, u64 name, u64 mode, u64 rdev) {
    u32 type = mode & S_IFMT;
    if (!type)
        mode |= S_IFREG;
    else if (type == S_IFDIR)
        return -EPERM;
    else if (type != S_IFREG && type != S_IFIFO && type != S_IFCHR && type != S_IFSOCK)
        return type == S_IFBLK ? -EPERM : -EINVAL;
    return make(dirfd, name, (u32)mode & (S_IFMT | (07777 & ~creation_mask)), rdev, NULL);
}

i64 sys_symlinkat(u64 target, u64 dirfd, u64 name) {
    struct path *t = path_buffer();
    if (!t)
        return -ENOMEM;
    i64 error = copy_string_from_user(t->buffer, target, sizeof t->buffer);
    if (error >= 0)
        error = error ? make(dirfd, name, S_IFLNK | 0777, 0, t->buffer) : -ENOENT;
    path_release(t);
    return error;
}

i64 sys_readlinkat(u64 dirfd, u64 name, u64 to, u64 size) {
    struct inode *i;
    if ((i64)size <= 0)
        return -EINVAL;
    i64 error = resolve_inode(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &i);
    if (error)
        return error;
    if (!i || !is_symlink(i))
        return -EINVAL;
    size = min_u64(size, i->size);
    return copy_to_user(to, i->target, size) ? -EFAULT : (i64)size;
}

i64 sys_linkat(u64 old_dirfd, u64 old_name, u64 new_dirfd, u64 new_name, u64 flags) {
    struct inode *i;
    i64 error = resolve_inode(old_dirfd, old_name, (flags & AT_EMPTY_PATH) | (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW), &i);
    struct path *p;
    if (error)
        return error;
    if (!i)
        return -EXDEV;
    if (is_directory(i))
        return -EPERM;
    inode_get(i);
    error = path_at(new_dirfd, new_name, PATH_PARENT, &p);
    if (!error) {
        error = p->inode ? -EEXIST : p->wants_directory ? -ENOENT : directory_add(p->dir, p->name, p->length, i);
        path_release(p);
    }
    inode_put(i);
    return error;
}

/* ---- taking names away ---- */

i64 sys_unlinkat(u64 dirfd, u64 name, u64 flags) {
    struct path *p;
    if (flags & ~(u64)AT_REMOVEDIR)
        return -EINVAL;
    i64 error = path_at(dirfd, name, PATH_ENTRY, &p);
    if (error)
        return error;
    struct inode *i = p->inode;
    if (p->is_special)
        error = flags & AT_REMOVEDIR ? (p->length == 1 ? -EINVAL : p->length ? -ENOTEMPTY : -EBUSY) : -EISDIR;
    else if (flags & AT_REMOVEDIR)
        error = !is_directory(i) ? -ENOTDIR : i->directory.count ? -ENOTEMPTY : 0;
    else if (is_directory(i))
        error = -EISDIR;
    if (!error)
        directory_remove(directory_find(p->dir, p->name, p->length));
    path_release(p);
    return error;
}

static bool inside(const struct inode *dir, const struct inode *above) {
    while (dir != above && dir != root_inode)
        dir = dir->directory.parent;
    return dir == above;
}

enum { RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2 };

static i64 rename_resolved(struct path *from, struct path *to, u64 flags) {
    struct inode *old = from->inode, *target = to->inode;
    if (from->is_special || to->is_special)
        return -EBUSY;
    if (directory_removed(to->dir))
        return -ENOENT;
    if (is_directory(old) && inside(to->dir, old))
        return -EINVAL;
    if (target && flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (target == old)
        return 0;                               /* two names of one file: nothing happens (POSIX) */
    if (target) {
        if (is_directory(old) && !is_directory(target))
            return -ENOTDIR;
        if (!is_directory(old) && is_directory(target))
            return -EISDIR;
        if (is_directory(target) && (target->directory.count || inside(from->dir, target)))
            return -ENOTEMPTY;
    } else if (to->wants_directory && !is_directory(old)) {
        return -ENOTDIR;
    }
    return directory_rename(directory_find(from->dir, from->name, from->length), to->dir, to->name, to->length);
}

i64 sys_renameat2(u64 old_dirfd, u64 old_name, u64 new_dirfd, u64 new_name, u64 flags) {
    struct path *from, *to;
    if (flags & ~(u64)RENAME_NOREPLACE)
        return -EINVAL;
    i64 error = path_at(old_dirfd, old_name, PATH_ENTRY, &from);
    if (error)
        return error;
    error = path_at(new_dirfd, new_name, PATH_PARENT, &to);
    if (!error) {
        error = rename_resolved(from, to, flags);
        path_release(to);
    }
    path_release(from);
    return error;
}
