/* The RAM file system: inodes, the pages of regular files, directories, path lookup.
 *
 * Content that came with the boot archive is served in place. A page of it enters the file's page tree
 * when it is mapped (in place too, if it is page-aligned there) or written (as a copy).
 */
#pragma once

#include "fs/file.h"
#include "mm/pmm.h"

struct pipe;
struct socket;

struct dentry {
    struct list link;                           /* in its directory, in order of creation */
    struct dentry *hash_next;
    struct inode *dir, *inode;
    u64 cookie;                                 /* position in listings: grows with creation */
    u32 hash;
    u16 length;
    char name[];
};

struct inode {
    u64 number;
    u32 mode, links, refs, uid, gid;
    u64 size, rdev;
    struct timespec atime, mtime, ctime;
    union {
        struct {
            const u8 *archive;                  /* content that came at boot, up to archive_size */
            u64 archive_size;
            void *root;                         /* page tree: 64 children a node; height 0: one page */
            u64 page_count;
            u32 height;
            u32 mappings;                       /* regions of the address space */
            u8 seals;                           /* fcntl(F_ADD_SEALS) */
            u32 shared_locks;                   /* flock */
            struct file *exclusive_lock;
            struct waitqueue lock_queue;
        } regular;
        struct {
            struct list entries;
            u64 count, generation;              /* grows when an entry goes */
            struct inode *parent;
            struct dentry *self;                /* its name in the parent; NULL for the root */
            u32 mount;                          /* not 0: what is here is served by tasks (fs/hosted.c) */
            u32 mounts_below;                   /* how many such directories are somewhere in it */
        } directory;
        char *target;                           /* symbolic link */
        struct pipe *pipe;                      /* FIFO, while open */
        struct socket *socket;                  /* who is bound to it */
    };
};

#define INODE_NAME_MAX 255
#define PATH_MAX 4096

static inline bool is_directory(const struct inode *i) { return (i->mode & S_IFMT) == S_IFDIR; }
static inline bool is_regular(const struct inode *i) { return (i->mode & S_IFMT) == S_IFREG; }
static inline bool is_symlink(const struct inode *i) { return (i->mode & S_IFMT) == S_IFLNK; }

void inode_init(void);                          /* makes the root */
extern struct inode *root_inode;
extern u64 inode_total;
/* Taken out of the tree while in use: has no name and gets no entries. */
static inline bool directory_removed(const struct inode *dir) { return !dir->directory.self && dir != root_inode; }

struct inode *inode_new(u32 mode);              /* no name yet, no reference */
static inline struct inode *inode_get(struct inode *i) { i->refs++; return i; }
void inode_put(struct inode *i);
/* Frees an inode that has neither name nor reference. */
void inode_reap(struct inode *i);
void inode_stat(const struct inode *i, struct stat *st);
struct timespec inode_time(void);
void inode_touch(struct inode *i);              /* content changed: mtime and ctime */

/* ---- regular files (fs/regular.c) ---- */

enum { SEAL_SEAL = 1, SEAL_SHRINK = 2, SEAL_GROW = 4, SEAL_WRITE = 8, SEAL_FUTURE_WRITE = 16 };

/* The page at an index, for mapping; with `create` it is made where the file has a hole. NULL: hole, past
 * the end, or no memory. */
struct page *regular_page(struct inode *i, u64 index, bool create);
int regular_truncate(struct inode *i, u64 size);
int regular_punch(struct inode *i, u64 from, u64 to);
int regular_allocate(struct inode *i, u64 from, u64 to);
i64 regular_read(struct inode *i, struct span *to, u64 *position);
i64 regular_write(struct inode *i, struct span *from, u64 *position);
void regular_free(struct inode *i);
/* flock(2): gives up what the open file holds. */
void regular_unlock(struct file *f);
/* Next data (or hole) at or after a position; -ENXIO past the end. */
i64 regular_seek(struct inode *i, u64 from, bool hole);
extern const struct file_ops regular_ops;

/* ---- directories (fs/directory.c) ---- */

struct dentry *directory_find(struct inode *dir, const char *name, size_t length);
int directory_add(struct inode *dir, const char *name, size_t length, struct inode *inode);
/* Takes the name away; the inode goes with its last name and reference. */
void directory_remove(struct dentry *entry);
int directory_rename(struct dentry *entry, struct inode *new_dir, const char *name, size_t length);
i64 directory_list(struct file *f, u64 buffer, size_t size);
/* Absolute path of a directory into `to` (size bytes): its length with NUL, -ERANGE, -ENOENT. */
i64 directory_path(const struct inode *dir, char *to, size_t size);
/* One of the paths of any inode, found by search; -ENOENT if it has none. */
i64 inode_path(const struct inode *i, char *to, size_t size);
extern const struct file_ops directory_ops;

/* ---- the boot archive (fs/cpio.c) ---- */

/* Unpacks an archive (cpio "newc") that must stay, since content is used in place. Returns the number of entries;
 * damage ends the unpacking with a message in the log. */
u64 cpio_unpack(const u8 *archive, u64 size);

/* ---- paths (fs/path.c) ---- */

enum path_flags {
    PATH_FOLLOW = 1,
    PATH_PARENT = 2,                            /* the name itself is meant, slash or not; it may be missing */
    PATH_SECOND = 4,                            /* the second path of a call that has two */
};

struct path {
    struct inode *inode;                        /* NULL if missing (PATH_PARENT) */
    struct inode *dir;                          /* where the last component lives */
    const char *name;                           /* the last component, inside the buffer given */
    size_t length;
    bool wants_directory;                       /* ended in a slash */
    bool is_special;                            /* ".", ".." or "/": has no entry to change */
    /* Where the kernel's own tree ends: the mount point (a reference), and the rest is `name`, relative to the
     * open file `base` (0: the mount point itself). NULL in the kernel's own tree, where the others hold. */
    struct inode *mount;
    u64 base;
    char buffer[PATH_MAX];
};

/* Resolves text relative to `base`; text is copied into path->buffer as symbolic links are followed. */
int path_resolve(struct inode *base, const char *text, unsigned flags, struct path *path);

/* What is at an absolute path of the kernel's own, links followed; NULL if nothing is. */
struct inode *inode_at(const char *path);

/* NULL without memory. */
struct path *path_buffer(void);
void path_release(struct path *p);
