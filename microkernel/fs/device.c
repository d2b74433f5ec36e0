#include "fs/device.h"

#include "core/entropy.h"
#include "core/errno.h"
#include "core/panic.h"
#include "core/string.h"
#include "core/thread.h"
#include "dev/stdio.h"
#include "dev/tty.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"

static i64 read_null(struct file *f, struct span *to, u64 *position) { return 0; }

static i64 write_null(struct file *f, struct span *from, u64 *position) {
    i64 n = (i64)from->left;
    from->left = 0;
    return n;
}

static i64 write_full(struct file *f, struct span *from, u64 *position) { return from->left ? -ENOSPC : 0; }

static i64 read_zero(struct file *f, struct span *to, u64 *position) {
    i64 n = (i64)to->left;
    while (to->left) {
        if (span_put_zeros(to, min_u64(to->left, 65536)))
            return -EFAULT;
        preemption_point();
    }
    return n;
}

static i64 read_random(struct file *f, struct span *to, u64 *position) {
    i64 done = 0;
    u8 piece[256];
    while (to->left) {
        size_t n = min_u64(to->left, sizeof piece);
        entropy_bytes(piece, n);
        if (span_put(to, piece, n))
            return done ? done : -EFAULT;
        done += (i64)n;
        if (!(done & 0xffff))
            preemption_point();
    }
    return done;
}

static const struct file_ops null_ops = {.name = "/dev/null", .seekable = true, .read = read_null, .write = write_null};
static const struct file_ops zero_ops = {.name = "/dev/zero", .seekable = true, .read = read_zero, .write = write_null};
static const struct file_ops full_ops = {.name = "/dev/full", .seekable = true, .read = read_zero, .write = write_full};
static const struct file_ops random_ops = {.name = "/dev/urandom", .seekable = true, .read = read_random, .write = write_null};

/* Numbers as in Linux's devices.txt. */
static const struct device {
    const char *name;
    u16 major, minor;
    const struct file_ops *ops;                 /* NULL: the terminal */
    bool hosted;                                /* a task serves it */
} devices[] = {
    {"null", 1, 3, &null_ops, false}, {"zero", 1, 5, &zero_ops, false}, {"full", 1, 7, &full_ops, false}, {"random", 1, 8, &random_ops, false},
    {"urandom", 1, 9, &random_ops, false}, {"tty", 5, 0, NULL, false}, {"console", 5, 1, NULL, false},
    {"kmsg", 1, 11, NULL, true},
};

void device_init(void) {
    struct dentry *d = directory_find(root_inode, "dev", 3);
    struct inode *dir = d ? d->inode : inode_new(S_IFDIR | 0755);
    KASSERT(dir && (d || !directory_add(root_inode, "dev", 3, dir)));
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
        size_t n = strlen(devices[i].name);
        if (directory_find(dir, devices[i].name, n))
            continue;
        struct inode *node = inode_new(S_IFCHR | 0666);
        KASSERT(node);
        node->rdev = (u64)devices[i].major << 8 | devices[i].minor;
        KASSERT(!directory_add(dir, devices[i].name, n, node));
    }
}

i64 device_open(u64 rdev, u32 flags, struct file **file) {
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
        if (rdev == ((u64)devices[i].major << 8 | devices[i].minor) && !devices[i].hosted) {
            *file = devices[i].ops ? file_new(devices[i].ops, flags, NULL) : tty_open(flags);
            return *file ? 0 : -ENOMEM;
        }
    return -ENXIO;
}
