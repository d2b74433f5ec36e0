/* Regular files: a sparse tree of pages over content that came with the boot archive. */
#include "core/errno.h"
#include "core/panic.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "mm/vm.h"

#define FANOUT 64
#define FANOUT_BITS 6
#define SIZE_LIMIT (1ull << 62)

/* ---- the page tree ---- */

static u64 tree_reach(u32 height) { return height >= 10 ? UINT64_MAX : 1ull << (FANOUT_BITS * height); }

static struct page *tree_find(const struct inode *i, u64 index) {
    void *node = i->regular.root;
    u32 height = i->regular.height;
    if (!node || index >= tree_reach(height))
        return NULL;
    while (height-- && node)
        node = ((void **)node)[index >> (FANOUT_BITS * height) & (FANOUT - 1)];
    return node;
}

static int tree_insert(struct inode *i, u64 index, struct page *page) {
    while (index >= tree_reach(i->regular.height)) {
        if (i->regular.root) {
            void **up = kzalloc(FANOUT * sizeof *up);
            if (!up)
                return -ENOSPC;
            up[0] = i->regular.root;
            i->regular.root = up;
        }
        i->regular.height++;
    }
    void **slot = &i->regular.root;
    for (u32 height = i->regular.height; height--;) {
        if (!*slot && !(*slot = kzalloc(FANOUT * sizeof *slot)))
            return -ENOSPC;
        slot = &((void **)*slot)[index >> (FANOUT_BITS * height) & (FANOUT - 1)];
    }
    KASSERT(!*slot);
    *slot = page;
    i->regular.page_count++;
    return 0;
}

/* Drops the pages [from, to) below a node that covers [base, base + reach(height)); frees nodes left empty. */
static void *tree_cut(struct inode *i, void *node, u32 height, u64 base, u64 from, u64 to) {
    if (!node || base >= to || base + tree_reach(height) <= from)
        return node;
    if (!height) {
        page_put(node);
        i->regular.page_count--;
        return NULL;
    }
    void **slots = node;
    bool any = false;
    for (unsigned k = 0; k < FANOUT; k++) {
        slots[k] = tree_cut(i, slots[k], height - 1, base + ((u64)k << (FANOUT_BITS * (height - 1))), from, to);
        any |= slots[k] != NULL;
    }
    if (any)
        return node;
    kfree(node);
    return NULL;
}

static void cut_pages(struct inode *i, u64 from, u64 to) {
    i->regular.root = tree_cut(i, i->regular.root, i->regular.height, 0, from, to);
    if (!i->regular.root)
        i->regular.height = 0;
}

void regular_free(struct inode *i) { cut_pages(i, 0, UINT64_MAX); }

/* How much of the page at `index` the archive still provides. */
static u64 archive_bytes(const struct inode *i, u64 index) {
    u64 start = index << PAGE_SHIFT;
    return start < i->regular.archive_size ? min_u64(i->regular.archive_size - start, PAGE_SIZE) : 0;
}

struct page *regular_page(struct inode *i, u64 index, bool create) {
    struct page *page = tree_find(i, index);
    if (page)
        return page;
    u64 from_archive = archive_bytes(i, index);
    if (!from_archive && !create)
        return NULL;
    const u8 *source = i->regular.archive + (index << PAGE_SHIFT);
    if (from_archive == PAGE_SIZE && !((u64)source & (PAGE_SIZE - 1))) {
        page = page_of(virt_to_phys(source));
        page_get(page);
    } else {
        paddr_t frame = pmm_alloc(0, from_archive ? PMM_TOUCH : PMM_FILE | PMM_CLEAR);
        if (!frame)
            return NULL;
        u8 *to = phys_to_virt(frame);
        if (from_archive) {
            memcpy(to, source, from_archive);
            memset(to + from_archive, 0, PAGE_SIZE - from_archive);
        }
        page = page_of(frame);
    }
    if (tree_insert(i, index, page)) {
        page_put(page);
        return NULL;
    }
    return page;
}

/* ---- content ---- */

/* Every 64 KiB of a long transfer others may run; pages are looked up anew after it. */
static void breathe(i64 position) {
    if (!(position & 0xffff))
        preemption_point();
}

i64 regular_read(struct inode *i, struct span *to, u64 *position) {
    i64 done = 0;
    while (to->left && *position < i->size) {
        u64 at = *position, offset = at & (PAGE_SIZE - 1), n = min_u64(i->size - at, to->left);
        struct page *page = tree_find(i, at >> PAGE_SHIFT);
        int error;
        if (page) {
            n = min_u64(n, PAGE_SIZE - offset);
            error = span_put(to, (u8 *)phys_to_virt(page_address(page)) + offset, n);
        } else if (at < i->regular.archive_size) {
            /* No page of the tree: as far as the archive goes, or to the next page if there is a tree. */
            n = min_u64(n, i->regular.archive_size - at);
            if (i->regular.root)
                n = min_u64(n, PAGE_SIZE - offset);
            error = span_put(to, i->regular.archive + at, n);
        } else {
            n = min_u64(n, PAGE_SIZE - offset);
            error = span_put_zeros(to, n);
        }
        if (error)
            return done ? done : error;
        *position += n;
        done += (i64)n;
        breathe((i64)*position);
    }
    return done;
}

i64 regular_write(struct inode *i, struct span *from, u64 *position) {
    i64 done = 0;
    if (*position >= SIZE_LIMIT || from->left > SIZE_LIMIT - *position)
        return -EFBIG;
    if (i->regular.seals & (SEAL_WRITE | SEAL_FUTURE_WRITE) || (i->regular.seals & SEAL_GROW && *position + from->left > i->size))
        return -EPERM;
    while (from->left) {
        u64 at = *position, offset = at & (PAGE_SIZE - 1), n = min_u64(PAGE_SIZE - offset, from->left);
        struct page *page = regular_page(i, at >> PAGE_SHIFT, true);
        if (!page)
            return done ? done : -ENOSPC;
        u8 *target = (u8 *)phys_to_virt(page_address(page)) + offset;
        if (span_get(from, target, n)) {
            if (at + n > i->size)               /* what is behind the end must read as zeros one day */
                memset(target + (i->size > at ? i->size - at : 0), 0, n - (i->size > at ? i->size - at : 0));
            return done ? done : -EFAULT;
        }
        *position += n;
        done += (i64)n;
        i->size = max_u64(i->size, *position);
        breathe((i64)*position);
    }
    if (done)
        inode_touch(i);
    return done;
}

/* Zeroes [from, to) within one page. */
static int clear_part(struct inode *i, u64 from, u64 to) {
    if (from >= to || (!tree_find(i, from >> PAGE_SHIFT) && !archive_bytes(i, from >> PAGE_SHIFT)))
        return 0;
    struct page *page = regular_page(i, from >> PAGE_SHIFT, true);
    if (!page)
        return -ENOSPC;
    memset((u8 *)phys_to_virt(page_address(page)) + (from & (PAGE_SIZE - 1)), 0, to - from);
    return 0;
}

int regular_truncate(struct inode *i, u64 size) {
    if (size > SIZE_LIMIT)
        return -EFBIG;
    if ((size < i->size && i->regular.seals & SEAL_SHRINK) || (size > i->size && i->regular.seals & SEAL_GROW))
        return -EPERM;
    if (size < i->size) {
        /* Bytes behind the new end must read as zeros if the file grows again. */
        int error = size & (PAGE_SIZE - 1) ? clear_part(i, size, ALIGN_UP(size, PAGE_SIZE)) : 0;
        if (error)
            return error;
        vm_file_cut(i, ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT, UINT64_MAX, true);
        cut_pages(i, ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT, UINT64_MAX);
        i->regular.archive_size = min_u64(i->regular.archive_size, size);
    }
    i->size = size;
    inode_touch(i);
    return 0;
}

int regular_punch(struct inode *i, u64 from, u64 to) {
    if (i->regular.seals & SEAL_WRITE)
        return -EPERM;
    to = min_u64(to, ALIGN_UP(i->size, PAGE_SIZE));
    u64 first = ALIGN_UP(from, PAGE_SIZE), last = ALIGN_DOWN(to, PAGE_SIZE);
    if (from >= to)
        return 0;
    if (first > last)
        return clear_part(i, from, to);
    int error = clear_part(i, from, min_u64(first, to));
    if (!error)
        error = clear_part(i, max_u64(last, from), to);
    /* Whole pages that the archive provides become zero pages; others become holes. */
    vm_file_cut(i, first >> PAGE_SHIFT, last >> PAGE_SHIFT, false);
    cut_pages(i, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
    for (u64 at = first; !error && at < last && at < i->regular.archive_size; at += PAGE_SIZE) {
        paddr_t frame = pmm_alloc(0, PMM_FILE | PMM_CLEAR);
        error = frame ? tree_insert(i, at >> PAGE_SHIFT, page_of(frame)) : -ENOSPC;
        if (error && frame)
            page_put(page_of(frame));
    }
    inode_touch(i);
    return error;
}

int regular_allocate(struct inode *i, u64 from, u64 to) {
    for (u64 index = from >> PAGE_SHIFT; index << PAGE_SHIFT < to; index++) {
        if (!regular_page(i, index, true))
            return -ENOSPC;
        breathe((i64)(index << PAGE_SHIFT));
    }
    return 0;
}

/* Index of the first page at or after `from` below a node that begins at `base`; UINT64_MAX if none. */
static u64 tree_next(const void *node, u32 height, u64 base, u64 from) {
    if (!node || base + tree_reach(height) <= from)
        return UINT64_MAX;
    if (!height)
        return base;
    for (unsigned k = 0; k < FANOUT; k++) {
        u64 found = tree_next(((void *const *)node)[k], height - 1, base + ((u64)k << (FANOUT_BITS * (height - 1))), from);
        if (found != UINT64_MAX)
            return found;
    }
    return UINT64_MAX;
}

i64 regular_seek(struct inode *i, u64 from, bool hole) {
    if (from >= i->size)
        return -ENXIO;
    u64 at = from;
    if (!hole) {
        u64 next = at < i->regular.archive_size ? at >> PAGE_SHIFT : tree_next(i->regular.root, i->regular.height, 0, at >> PAGE_SHIFT);
        at = next > i->size >> PAGE_SHIFT ? i->size : max_u64(at, next << PAGE_SHIFT);
        return at < i->size ? (i64)at : -ENXIO;
    }
    while (at < i->size && (at < i->regular.archive_size || tree_find(i, at >> PAGE_SHIFT)))
        at = ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE;
    return (i64)min_u64(at, i->size);
}

/* ---- as an open file ---- */

static i64 read_file(struct file *f, struct span *to, u64 *position) { return regular_read(f->inode, to, position); }

static i64 write_file(struct file *f, struct span *from, u64 *position) {
    if (f->flags & O_APPEND)
        *position = f->inode->size;
    return regular_write(f->inode, from, position);
}

void regular_unlock(struct file *f) {
    struct inode *i = f->inode;
    if (!f->flock)
        return;
    if (f->flock == 2)
        i->regular.exclusive_lock = NULL;
    else
        i->regular.shared_locks--;
    f->flock = 0;
    waitqueue_wake(&i->regular.lock_queue, POLLIN);
}

const struct file_ops regular_ops = {.name = "file", .mode = S_IFREG, .seekable = true, .read = read_file, .write = write_file, .release = regular_unlock};
