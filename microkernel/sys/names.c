/* Names and attributes: everything that takes a path. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/string.h"
#include "fs/hosted.h"
#include "mm/kmalloc.h"
#include "mm/vm.h"
#include "sys/calls.h"

/* An existing file by path, or by descriptor when there is no path or it may be empty and is. What has no inode
 * (a pipe) gives NULL. HOSTED: it is a task's, and *r is ready to ask about it. */
enum { HOSTED = 1 };
static i64 resolve(u64 dirfd, u64 name, u64 at_flags, struct inode **inode, struct request *r) {
    char first = 1;
    if (at_flags & AT_EMPTY_PATH && copy_from_user(&first, name, 1))
        return -EFAULT;
    if (at_flags & AT_NULL_NAME || !first) {
        struct file *f = !first && (int)dirfd == AT_FDCWD ? working_directory : fd_file((int)dirfd);
        if (!f)
            return -EBADF;
        *inode = f->inode;
        if (is_hosted(f))
            *r = request_at_file(f);
        return is_hosted(f) ? HOSTED : 0;
    }
    struct path *p;
    i64 error = path_at(dirfd, name, at_flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, &p);
    if (error)
        return error;
    if (p->mount) {
        *r = request_at_path(p);
        return HOSTED;
    }
    *inode = p->inode;
    path_release(p);
    return 0;
}

/* The flags of a request. */
static u64 following(u64 at_flags) { return at_flags & AT_SYMLINK_NOFOLLOW ? REQUEST_NOFOLLOW : 0; }

/* The task reads or writes something of the kernel's. */
static struct request *with_buffer(struct request *r, void *at, u64 size, bool writable) {
    r->event.buffer = (u64)at;
    r->event.buffer_size = size;
    r->event.writable = writable;
    return r;
}

/* ---- attributes ---- */

static i64 stat_at(u64 dirfd, u64 name, u64 at_flags, struct stat *st) {
    struct inode *i;
    struct request r;
    memset(st, 0, sizeof *st);
    i64 error = resolve(dirfd, name, at_flags, &i, &r);
    if (error)
        return error < 0 ? error : request(with_buffer(&r, st, sizeof *st, true), REQUEST_STAT, following(at_flags), 0, 0);
    if (i) {
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
    struct request r;
    if (mode & ~7ull)
        return -EINVAL;
    i64 error = resolve(dirfd, name, flags, &i, &r);
    if (error)
        return error < 0 ? error : request(&r, REQUEST_ACCESS, mode, following(flags), 0);
    return i && mode & 1 && !is_directory(i) && !(i->mode & 0111) ? -EACCES : 0;
}

i64 change_mode(u64 dirfd, u64 name, u64 mode, u64 at_flags) {
    struct inode *i;
    struct request r;
    i64 error = resolve(dirfd, name, at_flags, &i, &r);
    if (error > 0)
        return request(&r, REQUEST_CHMOD, mode & 07777, following(at_flags), 0);
    if (error || !i)
        return error;
    i->mode = (i->mode & S_IFMT) | (mode & 07777);
    i->ctime = inode_time();
    return 0;
}

i64 sys_fchownat(u64 dirfd, u64 name, u64 uid, u64 gid, u64 flags) {
    struct inode *i;
    struct request r;
    i64 error = resolve(dirfd, name, flags, &i, &r);
    if (error > 0)
        return request(&r, REQUEST_CHOWN, (u32)uid, (u32)gid, following(flags));
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

static i64 set_times(u64 dirfd, u64 name, u64 at_flags, struct timespec values[2]) {
    struct inode *i;
    struct request r;
    i64 error = resolve(dirfd, name, at_flags, &i, &r);
    if (error > 0)
        return request(with_buffer(&r, values, 2 * sizeof *values, false), REQUEST_UTIMENS, following(at_flags), 0, 0);
    if (error || !i)
        return error;
    struct timespec now = inode_time(), *targets[2] = {&i->atime, &i->mtime};
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
    if (times && copy_from_user(t, times, sizeof t))
        return -EFAULT;
    return set_times(dirfd, name, name || (int)dirfd == AT_FDCWD ? flags : AT_NULL_NAME, t);
}

/* The two older forms: times as pairs of seconds and a fraction worth `unit` nanoseconds (0: no fraction). */
static i64 old_utime(u64 name, u64 times, i64 unit) {
    i64 t[4] = {0, 0, 0, 0};
    if (times && copy_from_user(t, times, unit ? sizeof t : sizeof t / 2))
        return -EFAULT;
    struct timespec given[2] = {{t[0], t[1] * unit}, {t[unit ? 2 : 1], t[3] * unit}}, now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    return set_times((u64)AT_FDCWD, name, 0, times ? given : now);
}
i64 sys_utimes(u64 name, u64 times) { return old_utime(name, times, 1000); }
i64 sys_utime(u64 name, u64 times) { return old_utime(name, times, 0); }

i64 sys_truncate(u64 name, u64 size) {
    struct inode *i;
    struct request r;
    i64 error = (i64)size < 0 ? -EINVAL : resolve((u64)AT_FDCWD, name, 0, &i, &r);
    if (error)
        return error < 0 ? error : request(&r, REQUEST_TRUNCATE, size, 0, 0);
    return is_directory(i) ? -EISDIR : !is_regular(i) ? -EINVAL : regular_truncate(i, size);
}

struct statfs { u64 type, bsize, blocks, bfree, bavail, files, ffree; i32 fsid[2]; u64 namelen, frsize, flags, spare[4]; };

i64 file_system(u64 dirfd, u64 name, u64 at_flags, u64 to) {
    struct inode *i;
    struct request r;
    u64 available = pmm_file_pages();
    struct statfs s = {.type = 0x01021994, .bsize = PAGE_SIZE, .blocks = pmm_statistics().total, .bfree = available, .bavail = available,
                       .files = inode_total + available, .ffree = available, .namelen = INODE_NAME_MAX, .frsize = PAGE_SIZE};
    i64 error = resolve(dirfd, name, at_flags, &i, &r);
    if (error > 0)
        error = request(with_buffer(&r, &s, sizeof s, true), REQUEST_STATFS, 0, 0, 0);
    return error < 0 ? error : copy_to_user(to, &s, sizeof s);
}

/* ---- the working directory ---- */

struct file *working_directory;

i64 sys_getcwd(u64 to, u64 size) {
    struct path *p = path_buffer();
    if (!p)
        return -ENOMEM;
    struct file *here = file_get(working_directory);
    size = min_u64(size, sizeof p->buffer);
    i64 n = here->inode ? directory_path(here->inode, p->buffer, size) : hosted_path(here, p->buffer, size);
    file_put(here);
    if (n > 0 && copy_to_user(to, p->buffer, (size_t)n))
        n = -EFAULT;
    path_release(p);
    return n;
}

i64 change_directory(struct file *to) {
    if (hosted_type(to) != S_IFDIR && (!to->inode || !is_directory(to->inode)))
        return -ENOTDIR;
    struct file *from = working_directory;
    working_directory = file_get(to);
    file_put(from);
    return 0;
}

i64 sys_chdir(u64 name) {
    struct file *f;
    i64 error = file_at((u64)AT_FDCWD, name, O_PATH | O_DIRECTORY, 0, &f);
    if (!error) {
        error = change_directory(f);
        file_put(f);
    }
    return error;
}

i64 sys_umask(u64 mask) {
    u32 old = creation_mask;
    creation_mask = mask & 0777;
    return old;
}

/* ---- making names ---- */

static i64 make_hosted(struct path *p, u32 mode, u64 rdev, const char *target) {
    struct request r = request_at_path(p);
    r.event.path2 = (u64)target;
    r.event.path2_length = target ? (u32)strlen(target) : 0;
    enum request_operation what = target ? REQUEST_SYMLINK : (mode & S_IFMT) == S_IFDIR ? REQUEST_MKDIR : REQUEST_MKNOD;
    return request(&r, what, mode, rdev, 0);
}

/* Puts a new inode at a path that must not exist yet. */
static i64 make(u64 dirfd, u64 name, u32 mode, u64 rdev, const char *target) {
    struct path *p;
    i64 error = path_at(dirfd, name, PATH_PARENT, &p);
    if (error)
        return error;
    if (p->mount)
        return make_hosted(p, mode, rdev, target);
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
    else if (type != S_IFREG && type != S_IFIFO && type != S_IFCHR && type != S_IFBLK && type != S_IFSOCK)
        return -EINVAL;
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
    struct request r;
    if ((i64)size <= 0)
        return -EINVAL;
    size = min_u64(size, PATH_MAX);
    if (!user_range(to, size))
        return -EFAULT;
    i64 error = resolve(dirfd, name, AT_SYMLINK_NOFOLLOW | ((int)dirfd == AT_FDCWD ? 0 : AT_EMPTY_PATH), &i, &r);
    if (error)
        return error < 0 ? error : request(with_buffer(&r, (void *)to, size, true), REQUEST_READLINK, 0, 0, 0);
    if (!i || !is_symlink(i))
        return -EINVAL;
    size = min_u64(size, i->size);
    return copy_to_user(to, i->target, size) ? -EFAULT : (i64)size;
}

/* The second path is where something goes: it has to be a task's, too. Takes over both paths. */
static i64 request_with_second(struct request *r, struct path *p, enum request_operation what, u64 a) {
    if (!p->mount) {
        path_release(p);
        if (r->path)
            path_release(r->path);
        return -EXDEV;
    }
    struct request second = request_at_path(p);
    r->path2 = p;
    r->event.mount2 = second.event.mount;
    r->event.base2 = second.event.base;
    r->event.path2 = second.event.path;
    r->event.path2_length = second.event.path_length;
    return request(r, what, a, 0, 0);
}

i64 sys_linkat(u64 old_dirfd, u64 old_name, u64 new_dirfd, u64 new_name, u64 flags) {
    struct inode *i;
    struct request r;
    i64 error = resolve(old_dirfd, old_name, (flags & AT_EMPTY_PATH) | (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW), &i, &r);
    struct path *p;
    if (error > 0) {
        error = path_at(new_dirfd, new_name, PATH_PARENT | PATH_SECOND, &p);
        if (!error)
            return request_with_second(&r, p, REQUEST_LINK, flags & AT_SYMLINK_FOLLOW ? 1 : 0);
        if (r.path)
            path_release(r.path);
        return error;
    }
    if (error)
        return error;
    if (!i)
        return -EXDEV;
    inode_get(i);
    error = path_at(new_dirfd, new_name, PATH_PARENT | PATH_SECOND, &p);
    if (!error) {
        error = p->mount ? -EXDEV : p->inode ? -EEXIST : p->wants_directory ? -ENOENT : is_directory(i) ? -EPERM : directory_add(p->dir, p->name, p->length, i);
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
    i64 error = path_at(dirfd, name, PATH_PARENT, &p);
    if (error)
        return error;
    if (p->mount) {
        struct request r = request_at_path(p);
        return request(&r, flags & AT_REMOVEDIR ? REQUEST_RMDIR : REQUEST_UNLINK, 0, 0, 0);
    }
    struct inode *i = p->inode;
    if (p->is_special)
        error = flags & AT_REMOVEDIR ? (p->length == 1 ? -EINVAL : p->length ? -ENOTEMPTY : -EBUSY) : -EISDIR;
    else if (!i)
        error = -ENOENT;
    else if (p->wants_directory && !is_directory(i))
        error = -ENOTDIR;
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
    if (!old || directory_removed(to->dir))
        return -ENOENT;
    if (target && flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (!is_directory(old) && (from->wants_directory || to->wants_directory))
        return -ENOTDIR;
    if (is_directory(old) && inside(to->dir, old))
        return -EINVAL;
    if (is_directory(old) && old->directory.mounts_below)
        return -EBUSY;                          /* the mount table has the path */
    if (target && is_directory(target) && inside(from->dir, target))
        return -ENOTEMPTY;
    if (target == old)
        return 0;                               /* two names of one file: nothing happens (POSIX) */
    if (target) {
        if (is_directory(old) && !is_directory(target))
            return -ENOTDIR;
        if (!is_directory(old) && is_directory(target))
            return -EISDIR;
        if (is_directory(target) && target->directory.count)
            return -ENOTEMPTY;
    }
    return directory_rename(directory_find(from->dir, from->name, from->length), to->dir, to->name, to->length);
}

static bool is_mount_point(const struct path *p) { return p->mount && !p->base && !*p->name; }

i64 sys_renameat2(u64 old_dirfd, u64 old_name, u64 new_dirfd, u64 new_name, u64 flags) {
    struct path *from, *to;
    if (flags & ~(u64)RENAME_NOREPLACE)
        return -EINVAL;
    i64 error = path_at(old_dirfd, old_name, PATH_PARENT, &from);
    if (error)
        return error;
    error = path_at(new_dirfd, new_name, PATH_PARENT | PATH_SECOND, &to);
    if (!error && (is_mount_point(from) || is_mount_point(to))) {
        path_release(to);
        error = -EBUSY;
    }
    if (!error && from->mount) {
        struct request r = request_at_path(from);
        return request_with_second(&r, to, REQUEST_RENAME, flags);
    }
    if (!error) {
        error = to->mount ? -EXDEV : rename_resolved(from, to, flags);
        path_release(to);
    }
    path_release(from);
    return error;
}
