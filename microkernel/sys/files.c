/* Descriptors: opening, reading, writing, and what fcntl and ioctl say of them. */
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/device.h"
#include "fs/hosted.h"
#include "fs/pipe.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"
#include "sys/calls.h"

u32 creation_mask = 022;

/* ---- opening ---- */

i64 path_text_at(u64 dirfd, struct path *p, unsigned flags) {
    const struct path *again = current_thread()->redirections[flags & PATH_SECOND ? 1 : 0];
    const struct file *f = again ? NULL : (int)dirfd == AT_FDCWD ? working_directory : fd_file((int)dirfd);
    struct inode *base = p->buffer[0] == '/' ? root_inode : again ? again->mount : f ? f->inode : NULL;
    if (base || !f || hosted_type(f) != S_IFDIR)
        return base && is_directory(base) ? path_resolve(base, p->buffer, flags, p) : f ? -ENOTDIR : -EBADF;
    hosted_base(f, p);
    return *p->name ? 0 : -ENOENT;
}

i64 path_at(u64 dirfd, u64 name, unsigned flags, struct path **result) {
    const struct path *again = current_thread()->redirections[flags & PATH_SECOND ? 1 : 0];
    struct path *p = path_buffer();
    if (!p)
        return -ENOMEM;
    i64 error = again ? 0 : copy_string_from_user(p->buffer, name, sizeof p->buffer);
    if (again)
        memcpy(p->buffer, again->buffer, strlen(again->buffer) + 1);
    if (error >= 0)
        error = path_text_at(dirfd, p, flags);
    if (error)
        path_release(p);
    else
        *result = p;
    return error;
}

i64 path_create(struct path *p, struct inode *i) {
    i64 error = i ? directory_add(p->dir, p->name, p->length, i) : -ENOSPC;
    if (error && i)
        inode_reap(i);
    p->inode = error ? NULL : i;
    return error;
}

struct file *inode_open(struct inode *i, u32 flags) {
    struct file *f = file_new(is_directory(i) ? &directory_ops : &regular_ops, flags, NULL);
    if (f)
        f->inode = inode_get(i);
    else
        inode_reap(i);
    return f;
}

static i64 open_inode(struct inode *i, u32 flags, struct file **file) {
    u32 access = flags & O_ACCMODE, type = i->mode & S_IFMT;
    if (is_directory(i) && (access != O_RDONLY || flags & O_CREAT))
        return -EISDIR;
    if (flags & O_DIRECTORY && !is_directory(i))
        return -ENOTDIR;
    u32 kept = flags & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_PATH | O_DIRECTORY | O_NOFOLLOW | 0100000 /* O_LARGEFILE */);
    if (!(flags & O_PATH)) {
        if (type == S_IFIFO)
            return fifo_open(i, kept, file);
        if (type == S_IFLNK || type == S_IFSOCK)
            return type == S_IFLNK ? -ELOOP : -ENXIO;
        if (type == S_IFBLK)
            return hosted_open_device(i, kept | (flags & (O_DSYNC | O_SYNC)), file);
        if (type == S_IFCHR) {
            i64 error = device_open(i->rdev, kept, file);
            if (!error)
                (*file)->inode = inode_get(i);
            return error == -ENXIO ? hosted_open_device(i, kept, file) : error;
        }
    }
    if (flags & O_TRUNC && access != O_RDONLY && is_regular(i) && i->size) {
        i64 error = regular_truncate(i, 0);
        if (error)
            return error;
    }
    *file = inode_open(i, kept);
    return *file ? 0 : -ENOMEM;
}

static i64 open_path(struct path *p, u32 flags, u32 mode, struct file **file) {
    u32 new_mode = S_IFREG | (mode & 07777 & ~creation_mask);
    if (flags & O_TMPFILE) {
        if (!is_directory(p->inode))
            return -ENOTDIR;
        if ((flags & O_ACCMODE) == O_RDONLY)
            return -EINVAL;
        p->inode = inode_new(new_mode);
        return p->inode ? open_inode(p->inode, flags & ~(u32)O_DIRECTORY, file) : -ENOSPC;
    }
    if (flags & O_CREAT && p->wants_directory && !p->is_special)
        return -EISDIR;
    if (p->inode && flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    i64 error = p->inode ? 0 : path_create(p, inode_new(new_mode));
    return error ? error : open_inode(p->inode, flags, file);
}

i64 file_at(u64 dirfd, u64 name, u32 flags, u32 mode, struct file **file) {
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    bool follow = !(flags & O_NOFOLLOW) && !(flags & O_CREAT && flags & O_EXCL);
    struct path *p;
    if (flags & O_CREAT && flags & (O_TMPFILE | O_DIRECTORY))
        return -EINVAL;
    i64 error = path_at(dirfd, name, (follow ? PATH_FOLLOW : 0u) | (flags & O_CREAT ? PATH_PARENT : 0u), &p);
    if (error)
        return error;
    if (p->mount)
        return hosted_open(p, flags, mode & 07777 & ~creation_mask, file);
    error = open_path(p, flags, mode, file);
    path_release(p);
    return error;
}

i64 sys_openat(u64 dirfd, u64 name, u64 flags, u64 mode) {
    struct file *f;
    i64 error = file_at(dirfd, name, (u32)flags, (u32)mode, &f);
    return error ? error : fd_install(f, 0, flags & O_CLOEXEC);
}

i64 sys_close(u64 fd) {
    struct file *f = fd_file((int)fd);
    bool lingers = f && socket_lingers(f);
    if (!f || !(lingers || is_hosted(f)) || (f->flags & O_ACCMODE) == O_RDONLY || f->flags & O_PATH || request_allowed() == -EDEADLK)
        return fd_close((int)fd);
    i64 error = request_allowed();
    if (error)
        return error;                           /* before anything has changed */
    if (lingers) {
        socket_linger((int)fd);
        return 0;
    }
    file_get(f);
    fd_close((int)fd);
    error = hosted_flush(f);
    file_put(f);
    return error == -ERESTARTSYS ? -EINTR : error;
}

i64 sys_close_range(u64 first, u64 last, u64 flags) {
    if (first > last || flags & ~4ull)
        return -EINVAL;
    for (u64 fd = first; fd <= last && fd < FD_LIMIT; fd++) {
        if (!fd_file((int)fd))
            continue;
        if (flags & 4)                          /* CLOSE_RANGE_CLOEXEC */
            fd_set_close_on_exec((int)fd, true);
        else
            fd_close((int)fd);
    }
    return 0;
}

i64 sys_pipe2(u64 to, u64 flags) {
    struct file *ends[2];
    if (flags & ~(u64)(O_CLOEXEC | O_NONBLOCK | 040000 /* O_DIRECT */))
        return -EINVAL;
    i64 error = pipe_open(&ends[0], &ends[1], (u32)flags);
    return error ? error : fd_install_pair(ends, flags & O_CLOEXEC, to);
}

/* A task is asked about an open file, which stays meanwhile. */
static i64 ask_file(struct file *f, enum request_operation operation, u64 a, u64 b, u64 c) {
    struct request r = request_at_file(f);
    file_get(f);
    i64 result = request(&r, operation, a, b, c);
    file_put(f);
    return result;
}

/* ---- position and size ---- */

enum { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE };

static i64 seek(struct file *f, u64 offset, u64 whence) {
    if (is_hosted(f) && whence >= SEEK_END && whence <= SEEK_HOLE) {
        i64 to = ask_file(f, REQUEST_SEEK, offset, whence, 0);
        if (to >= 0)
            f->position = (u64)to;
        return to;
    }
    i64 base = 0, size = f->inode && is_regular(f->inode) ? (i64)f->inode->size : 0;
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        if (!f->inode || !is_regular(f->inode))
            return -EINVAL;
        i64 at = (i64)offset < 0 ? -ENXIO : regular_seek(f->inode, offset, whence == SEEK_HOLE);
        if (at >= 0)
            f->position = (u64)at;
        return at;
    }
    if (whence > SEEK_END)
        return -EINVAL;
    base = whence == SEEK_CUR ? (i64)f->position : whence == SEEK_END ? size : 0;
    i64 at;
    if (__builtin_add_overflow(base, (i64)offset, &at))
        return -EOVERFLOW;
    if (at < 0)
        return -EINVAL;
    f->position = (u64)at;
    f->dir_next = NULL;
    return at;
}

i64 sys_lseek(u64 fd, u64 offset, u64 whence) {
    struct file *f = fd_file((int)fd);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (!f->ops->seekable)
        return -ESPIPE;
    if (!is_hosted(f))
        return seek(f, offset, whence);
    i64 at = hosted_take_turn(f);
    if (at)
        return at;
    file_get(f);
    at = seek(f, offset, whence);
    hosted_end_turn(f);
    file_put(f);
    return at;
}

i64 sys_getdents64(u64 fd, u64 to, u64 size) {
    struct file *f = fd_file((int)fd);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (hosted_type(f) == S_IFDIR)
        return hosted_list(f, to, size);
    return !f->inode || !is_directory(f->inode) ? -ENOTDIR : directory_list(f, to, size);
}

i64 sys_ftruncate(u64 fd, u64 size) {
    struct file *f = fd_file((int)fd);
    if (!f)
        return -EBADF;
    if ((f->flags & O_ACCMODE) == O_RDONLY || (i64)size < 0)
        return -EINVAL;
    if (is_hosted(f))
        return ask_file(f, REQUEST_TRUNCATE, size, 0, 0);
    if (!f->inode || !is_regular(f->inode))
        return -EINVAL;
    return regular_truncate(f->inode, size);
}

enum { FALLOC_KEEP_SIZE = 1, FALLOC_PUNCH_HOLE = 2, FALLOC_ZERO_RANGE = 16 };

i64 sys_fallocate(u64 fd, u64 mode, u64 from, u64 length) {
    struct file *f = fd_file((int)fd);
    if (!f || (f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (is_hosted(f))
        return ask_file(f, REQUEST_ALLOCATE, mode, from, length);
    if (!f->inode || !is_regular(f->inode))
        return f->inode && is_directory(f->inode) ? -EISDIR : f->ops->mode == S_IFIFO ? -ESPIPE : -ENODEV;
    u64 to = from + length;
    if ((i64)from < 0 || (i64)length <= 0 || (i64)to < 0)
        return (i64)to < 0 && (i64)from >= 0 ? -EFBIG : -EINVAL;
    if (mode & ~(u64)(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE) || (mode & FALLOC_PUNCH_HOLE && !(mode & FALLOC_KEEP_SIZE)))
        return -EOPNOTSUPP;
    file_get(f);
    i64 error = mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE) ? regular_punch(f->inode, from, to) : regular_allocate(f->inode, from, to);
    if (!error && !(mode & FALLOC_KEEP_SIZE) && to > f->inode->size)
        error = regular_truncate(f->inode, to);
    file_put(f);
    return error;
}

/* Of the kernel's own files nothing has to go anywhere: there is only memory. */
i64 synchronize(u64 fd, u64 what) {
    struct file *f = fd_file((int)fd);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (is_hosted(f))
        return ask_file(f, REQUEST_SYNC, what, 0, 0);
    return what == SYNC_FILE_SYSTEM || (f->inode && (is_regular(f->inode) || is_directory(f->inode))) ? 0 : -EINVAL;
}

i64 sys_fadvise64(u64 fd, u64 from, u64 n, u64 advice) {
    struct file *f = fd_file((int)fd);
    return !f ? -EBADF : !f->ops->seekable ? -ESPIPE : (i64)n < 0 || advice > 5 ? -EINVAL : 0;
}

/* ---- descriptors ---- */

i64 sys_dup(u64 fd) {
    struct file *f = fd_file((int)fd);
    return f ? fd_install(file_get(f), 0, false) : -EBADF;
}

i64 sys_dup3(u64 from, u64 to, u64 flags) {
    struct file *f = fd_file((int)from);
    if (!f)
        return -EBADF;
    if (from == to || flags & ~(u64)O_CLOEXEC)
        return -EINVAL;
    return fd_install_at(file_get(f), (int)to, flags & O_CLOEXEC);
}

i64 sys_dup2(u64 from, u64 to) {
    return from == to ? (fd_file((int)from) ? (i64)to : -EBADF) : sys_dup3(from, to, 0);
}

enum {
    F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_SETOWN, F_GETOWN,
    F_DUPFD_CLOEXEC = 1030, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, F_ADD_SEALS = 1033, F_GET_SEALS = 1034,
};
enum { F_RDLCK, F_WRLCK, F_UNLCK };

static i64 record_lock(const struct file *f, u64 from) {
    i16 type;
    if (copy_from_user(&type, from, sizeof type))
        return -EFAULT;
    if (type < F_RDLCK || type > F_UNLCK || (!f->inode && !is_hosted(f)))
        return -EINVAL;
    u32 refused = type == F_RDLCK ? O_WRONLY : O_RDONLY;
    return type != F_UNLCK && (f->flags & O_ACCMODE) == refused ? -EBADF : 0;
}

static i64 seals(struct file *f, bool add, u64 more) {
    u8 *now = &f->inode->regular.seals;
    if (!add)
        return *now;
    if (more & ~31ull)
        return -EINVAL;
    if (*now & SEAL_SEAL || (f->flags & O_ACCMODE) == O_RDONLY)
        return -EPERM;
    if (more & SEAL_WRITE && f->inode->regular.mappings)
        return -EBUSY;
    *now |= (u8)more;
    return 0;
}

i64 sys_fcntl(u64 fd, u64 command, u64 argument) {
    struct file *f = fd_file((int)fd);
    if (!f)
        return -EBADF;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return argument >= fd_limit ? -EINVAL : fd_install(file_get(f), (int)argument, command == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return fd_close_on_exec((int)fd);
    case F_SETFD:
        fd_set_close_on_exec((int)fd, argument & 1);
        return 0;
    case F_GETFL:
        return f->flags;
    case F_SETFL:
        f->flags = (f->flags & ~(u32)O_CHANGEABLE) | ((u32)argument & O_CHANGEABLE);
        return 0;
    case F_GETLK: {
        /* Record locks belong to the process: with one process none is ever in the way. */
        i16 none = F_UNLCK;
        return copy_to_user(argument, &none, sizeof none);
    }
    case F_SETLK:
    case F_SETLKW:
        return record_lock(f, argument);
    case F_SETOWN:
        return 0;
    case F_GETOWN:
        return 0;
    case F_SETPIPE_SZ:
        return argument ? pipe_size(f, argument) : -EINVAL;
    case F_GETPIPE_SZ:
        return pipe_size(f, 0);
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return f->inode && is_regular(f->inode) ? seals(f, command == F_ADD_SEALS, argument) : -EINVAL;
    }
    return -EINVAL;
}

/* Between open files of one process flock(2) does exclude. */
i64 sys_flock(u64 fd, u64 operation) {
    struct file *f = fd_file((int)fd);
    bool nonblocking = operation & 4;
    operation &= ~4ull;
    if (!f)
        return -EBADF;
    if (operation != 1 && operation != 2 && operation != 8)
        return -EINVAL;
    if (is_hosted(f))
        return ask_file(f, REQUEST_LOCK, operation | (nonblocking ? 4 : 0), 0, 0);
    if (!f->inode || !is_regular(f->inode))
        return 0;
    struct inode *i = f->inode;
    regular_unlock(f);
    if (operation == 8)
        return 0;
#define LOCK_FREE (!i->regular.exclusive_lock && (operation == 1 || !i->regular.shared_locks))
    file_get(f);
    int error = WAIT_OR_EAGAIN(&i->regular.lock_queue, LOCK_FREE, nonblocking);
    if (!error) {
        regular_unlock(f);                      /* another thread may have locked through the same file */
        f->flock = (u8)operation;
        if (operation == 2)
            i->regular.exclusive_lock = f;
        else
            i->regular.shared_locks++;
    }
    file_put(f);
    return error;
}

i64 sys_ioctl(u64 fd, u64 command, u64 argument) {
    struct file *f = fd_file((int)fd);
    i32 value;
    if (!f)
        return -EBADF;
    switch ((u32)command) {
    case FIOCLEX:
    case FIONCLEX:
        fd_set_close_on_exec((int)fd, (u32)command == FIOCLEX);
        return 0;
    case FIONBIO:
        if (copy_from_user(&value, argument, sizeof value))
            return -EFAULT;
        f->flags = value ? f->flags | O_NONBLOCK : f->flags & ~(u32)O_NONBLOCK;
        return 0;
    case FIONREAD:
        if (f->inode && is_regular(f->inode)) {
            value = (i32)(f->inode->size > f->position ? f->inode->size - f->position : 0);
            return copy_to_user(argument, &value, sizeof value);
        }
        break;
    }
    return f->ops->ioctl ? f->ops->ioctl(f, (u32)command, argument) : -ENOTTY;
}
