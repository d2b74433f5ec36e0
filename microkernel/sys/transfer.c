/* Moving bytes: read and write in all their forms, and from file to file. */
#include "core/errno.h"
#include "core/thread.h"
#include "fs/hosted.h"
#include "mm/kmalloc.h"
#include "sys/calls.h"

enum { READ, WRITE, VECTOR = 2 };

/* `offset` NULL: the file's own position. */
static i64 transfer(u64 fd, u64 at, u64 n, u64 *offset, unsigned how) {
    struct file *f = fd_file((int)fd);
    struct span s;
    if (!f)
        return -EBADF;
    if (offset && !f->ops->seekable)
        return -ESPIPE;
    if (offset && (i64)*offset < 0)
        return -EINVAL;
    i64 error = how & VECTOR ? vector_span(&s, at, n) : user_span(&s, at, n);
    if (error)
        return error;
    u64 *position = offset ? offset : &f->position;
    return how & WRITE ? file_write(f, &s, position) : file_read(f, &s, position);
}

i64 sys_read(u64 fd, u64 to, u64 n) { return transfer(fd, to, n, NULL, READ); }
i64 sys_write(u64 fd, u64 from, u64 n) { return transfer(fd, from, n, NULL, WRITE); }
i64 sys_pread64(u64 fd, u64 to, u64 n, u64 offset) { return transfer(fd, to, n, &offset, READ); }
i64 sys_pwrite64(u64 fd, u64 from, u64 n, u64 offset) { return transfer(fd, from, n, &offset, WRITE); }
i64 sys_readv(u64 fd, u64 vector, u64 count) { return transfer(fd, vector, count, NULL, READ | VECTOR); }
i64 sys_writev(u64 fd, u64 vector, u64 count) { return transfer(fd, vector, count, NULL, WRITE | VECTOR); }
i64 sys_preadv(u64 fd, u64 vector, u64 count, u64 offset) { return transfer(fd, vector, count, &offset, READ | VECTOR); }
i64 sys_pwritev(u64 fd, u64 vector, u64 count, u64 offset) { return transfer(fd, vector, count, &offset, WRITE | VECTOR); }

/* RWF_HIPRI, DSYNC, SYNC, NOWAIT change nothing for memory; APPEND does. */
i64 sys_preadv2(u64 fd, u64 vector, u64 count, u64 offset, u64 high, u64 flags) {
    return flags & ~15ull ? -EOPNOTSUPP : transfer(fd, vector, count, offset == UINT64_MAX ? NULL : &offset, READ | VECTOR);
}
i64 sys_pwritev2(u64 fd, u64 vector, u64 count, u64 offset, u64 high, u64 flags) {
    return flags & ~15ull ? -EOPNOTSUPP : transfer(fd, vector, count, offset == UINT64_MAX ? NULL : &offset, WRITE | VECTOR);
}

static bool is_regular_file(const struct file *f) { return hosted_type(f) == S_IFREG || (f->inode && is_regular(f->inode)); }

/* From one file to another through memory of the kernel's: what a task serves, in larger pieces. */
#define HOSTED_PIECE 65536
static i64 copy_between(struct file *from, u64 *from_position, struct file *to, u64 *to_position, u64 n) {
    u64 size = is_hosted(from) || is_hosted(to) ? HOSTED_PIECE : PAGE_SIZE;
    u8 *page = kmalloc(size);
    i64 done = request_allowed();
    if (!page || done == -EAGAINWITHOUTGIL) {
        kfree(page);
        return page ? done : -ENOMEM;
    }
    done = 0;
    file_get(from);
    file_get(to);
    while (n) {
        u64 start = *from_position;
        struct span in = kernel_span(page, min_u64(n, size));
        i64 got = file_read(from, &in, from_position);
        struct span out = kernel_span(page, got > 0 ? (u64)got : 0);
        i64 put = got > 0 ? file_write(to, &out, to_position) : got;
        if (put < got)
            *from_position = start + (put > 0 ? (u64)put : 0);
        if (put <= 0) {
            done = done ? done : put;
            break;
        }
        done += put;
        n -= (u64)put;
        if (put < got)
            break;
        preemption_point();
    }
    file_put(from);
    file_put(to);
    kfree(page);
    return done;
}

i64 sys_sendfile(u64 out, u64 in, u64 offset_at, u64 n) {
    struct file *to = fd_file((int)out), *from = fd_file((int)in);
    u64 offset;
    if (!to || !from || (to->flags & O_ACCMODE) == O_RDONLY || (from->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    if (!is_regular_file(from) || to->flags & O_APPEND)
        return -EINVAL;
    n = min_u64(n, TRANSFER_LIMIT);
    if (!offset_at)
        return copy_between(from, &from->position, to, &to->position, n);
    if (copy_from_user(&offset, offset_at, sizeof offset))
        return -EFAULT;
    if ((i64)offset < 0)
        return -EINVAL;
    i64 done = copy_between(from, &offset, to, &to->position, n);
    return done >= 0 && copy_to_user(offset_at, &offset, sizeof offset) ? -EFAULT : done;
}

i64 sys_copy_file_range(u64 in, u64 in_at, u64 out, u64 out_at, u64 n, u64 flags) {
    struct file *from = fd_file((int)in), *to = fd_file((int)out);
    u64 in_offset, out_offset;
    if (!from || !to || (to->flags & O_ACCMODE) == O_RDONLY || (from->flags & O_ACCMODE) == O_WRONLY || to->flags & O_APPEND)
        return -EBADF;
    if (!is_regular_file(from) || !is_regular_file(to))
        return (from->inode && is_directory(from->inode)) || (to->inode && is_directory(to->inode)) ? -EISDIR : -EINVAL;
    if ((in_at && copy_from_user(&in_offset, in_at, 8)) || (out_at && copy_from_user(&out_offset, out_at, 8)))
        return -EFAULT;
    u64 *source = in_at ? &in_offset : &from->position, *target = out_at ? &out_offset : &to->position;
    n = min_u64(n, TRANSFER_LIMIT);
    if (is_hosted(from) != is_hosted(to) || is_hosted(from))
        return -EXDEV;
    if (flags || (from->inode == to->inode && *source < *target + n && *target < *source + n))
        return -EINVAL;
    i64 done = copy_between(from, source, to, target, n);
    if (done >= 0 && ((in_at && copy_to_user(in_at, &in_offset, 8)) || (out_at && copy_to_user(out_at, &out_offset, 8))))
        return -EFAULT;
    return done;
}
