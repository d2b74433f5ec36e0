/* Open files: what a descriptor refers to, whatever kind it is, and the table of descriptors. */
#pragma once

#include "core/clock.h"
#include "core/list.h"
#include "core/wait.h"
#include "mm/user.h"

/* Linux's open flags (asm-generic/fcntl.h). */
enum {
    O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_CREAT = 0100, O_EXCL = 0200, O_NOCTTY = 0400,
    O_TRUNC = 01000, O_APPEND = 02000, O_NONBLOCK = 04000, O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000,
    O_DSYNC = 010000, O_SYNC = 04010000, O_CLOEXEC = 02000000, O_PATH = 010000000, O_TMPFILE = 020000000,
    /* What fcntl(F_SETFL) may change. */
    O_CHANGEABLE = O_APPEND | O_NONBLOCK,
};

enum {
    S_IFMT = 0170000, S_IFSOCK = 0140000, S_IFLNK = 0120000, S_IFREG = 0100000, S_IFBLK = 0060000,
    S_IFDIR = 0040000, S_IFCHR = 0020000, S_IFIFO = 0010000,
};

/* ioctl(2) (asm-generic/ioctls.h). */
enum { FIONREAD = 0x541b, FIONBIO = 0x5421, FIONCLEX = 0x5450, FIOCLEX = 0x5451 };

/* struct stat of x86-64 (asm/stat.h). */
struct stat {
    u64 dev, ino, nlink;
    u32 mode, uid, gid, pad;
    u64 rdev;
    i64 size, blksize, blocks;
    struct timespec atime, mtime, ctime;
    i64 reserved[3];
};

struct file;
struct inode;
struct vma;

/* A file need not have all; what is absent gets the errno POSIX gives. Positions: *position is advanced by
 * what was moved; files that cannot seek ignore it. Results: bytes or minus errno. */
struct file_ops {
    const char *name;                           /* as /proc shows it: "pipe", "eventfd", … */
    u32 mode;                                   /* S_IF* of stat, where there is no inode */
    bool seekable;
    i64 (*read)(struct file *f, struct span *to, u64 *position);
    i64 (*write)(struct file *f, struct span *from, u64 *position);
    /* Ready events (POLL*); queues[0] and [1] are set to what tells of changes (left NULL: never changes). */
    u32 (*poll)(struct file *f, struct waitqueue *queues[2]);
    i64 (*ioctl)(struct file *f, u32 command, u64 argument);
    void (*stat)(struct file *f, struct stat *st);
    void (*release)(struct file *f);
};

struct file {
    const struct file_ops *ops;
    u32 refs, flags;
    u64 position;
    struct inode *inode;                        /* NULL for pipes and the like */
    void *data;                                 /* of its kind */
    u64 unique;                                 /* inode number where there is no inode */
    struct list watchers;                       /* epoll registrations, dropped with the file */
    u8 flock;                                   /* LOCK_SH 1, LOCK_EX 2 held by this open file */
    /* Directories: where the listing stands (fs/directory.c). */
    void *dir_next;
    u64 dir_generation;
};

/* A new file with one reference; NULL without memory. */
struct file *file_new(const struct file_ops *ops, u32 flags, void *data);
static inline struct file *file_get(struct file *f) { f->refs++; return f; }
void file_put(struct file *f);

#define FD_LIMIT 65536
/* RLIMIT_NOFILE: descriptors from here on are not given. */
extern u32 fd_limit;

/* The file behind a descriptor, without a reference (valid until the thread blocks); NULL if closed. */
struct file *fd_file(int fd);
/* The lowest free descriptor from `from` on; takes over the caller's reference. -EMFILE, -ENOMEM. */
int fd_install(struct file *f, int from, bool close_on_exec);
/* Whether fd_install would find a number now: 0, -EMFILE or -ENOMEM. */
int fd_room(void);
/* Puts the file at exactly this descriptor, closing what was there. */
int fd_install_at(struct file *f, int fd, bool close_on_exec);
/* Two files at once (pipe, socketpair): takes over both references and stores the numbers at the program's
 * address. 0 or minus errno. */
i64 fd_install_pair(struct file *const files[2], bool close_on_exec, u64 to);
int fd_close(int fd);
bool fd_close_on_exec(int fd);
void fd_set_close_on_exec(int fd, bool on);

/* Read or write with the file's own position, or at a given one (pread). */
i64 file_read(struct file *f, struct span *to, u64 *position);
i64 file_write(struct file *f, struct span *from, u64 *position);
u32 file_poll(struct file *f, struct waitqueue *queues[2]);
void file_stat(struct file *f, struct stat *st);

/* Can the caller's wait be given up at once? */
static inline bool file_nonblocking(const struct file *f) { return f->flags & O_NONBLOCK; }
