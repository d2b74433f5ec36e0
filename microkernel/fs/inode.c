#include "fs/inode.h"

#include "core/panic.h"
#include "core/string.h"
#include "fs/pipe.h"
#include "mm/kmalloc.h"

struct inode *root_inode;
u64 inode_total;
static u64 next_number = 1;

struct timespec inode_time(void) { return timespec_of((i64)clock_now() + clock_wall_offset); }

void inode_touch(struct inode *i) { i->mtime = i->ctime = inode_time(); }

struct inode *inode_new(u32 mode) {
    struct inode *i = kzalloc(sizeof *i);
    if (!i)
        return NULL;
    i->number = next_number++;
    i->mode = mode;
    i->atime = i->mtime = i->ctime = inode_time();
    if ((mode & S_IFMT) == S_IFDIR) {
        list_init(&i->directory.entries);
        i->links = 1;                           /* "." */
    } else if ((mode & S_IFMT) == S_IFREG) {
        waitqueue_init(&i->regular.lock_queue);
        i->regular.seals = SEAL_SEAL;           /* only memfd_create can ask for others */
    }
    inode_total++;
    return i;
}

void inode_reap(struct inode *i) {
    if (i->refs || i->links > (is_directory(i) ? 1 : 0))
        return;
    if (is_regular(i))
        regular_free(i);
    else if (is_symlink(i))
        kfree(i->target);
    kfree(i);
    inode_total--;
}

void inode_put(struct inode *i) {
    KASSERT(i->refs > 0);
    i->refs--;
    inode_reap(i);
}

void inode_init(void) {
    root_inode = inode_new(S_IFDIR | 0755);
    KASSERT(root_inode);
    root_inode->links = 2;
    root_inode->directory.parent = root_inode;
}

void inode_stat(const struct inode *i, struct stat *st) {
    st->dev = 1;
    st->ino = i->number;
    st->nlink = i->links;
    st->mode = i->mode;
    st->uid = i->uid;
    st->gid = i->gid;
    st->rdev = i->rdev;
    st->size = (i64)i->size;
    st->blksize = PAGE_SIZE;
    if (is_regular(i))
        st->blocks = (i64)(i->regular.page_count * 8 + (i->regular.archive_size + 511) / 512);
    if (is_directory(i))
        st->size = (i64)(i->directory.count + 2) * 32;
    st->atime = i->atime;
    st->mtime = i->mtime;
    st->ctime = i->ctime;
}
