/* mmap(2) and its kin over the region tree. */
#include "mm/vm.h"

#include "core/errno.h"
#include "core/panic.h"
#include "core/string.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vm_internal.h"

struct vm_statistics vm_counts;
struct vm_statistics vm_statistics(void) { return vm_counts; }

/* mmap places from here downwards; the main stack is above. */
#define MAP_TOP (USER_END - STACK_TOP_GAP)

static u64 brk_start, brk_end;

/* Private writable memory is promised when it is mapped, so that running out is an error of mmap and not
 * a crash at some later store. Stacks and explicit reservations are not: they are far larger than what is
 * ever touched of them. */
static bool wants_promise(const struct vma *v) { return !v->shared && !v->lazy && v->prot & PROT_WRITE; }

static u64 length_pages(const struct vma *v) { return (v->end - v->start) >> PAGE_SHIFT; }

static void remove_region(struct vma *v) {
    u64 freed = pages_drop(v->start, v->end);
    if (v->charged)
        pmm_unpromise(length_pages(v) - freed);
    vma_unlink(v);
    vma_free(v);
}

int vm_unmap(u64 start, u64 length) {
    u64 end = start + length;
    int error = vma_isolate(start, end);
    if (error)
        return error;
    bool any = false;
    for (struct vma *v = vma_at_or_after(start), *next; v && v->start < end; v = next) {
        next = vm_next(v);
        remove_region(v);
        any = true;
    }
    if (any)
        paging_prune(start, end);
    return 0;
}

static bool range_free(u64 start, u64 length) {
    struct vma *v = vma_at_or_after(start);
    return !v || v->start >= start + length;
}

/* Where a mapping goes that need not be at its hint; 0 if nowhere. */
static u64 place(u64 hint, u64 length, bool anonymous) {
    if (hint >= 0x10000 && hint < USER_END && length <= USER_END - hint && range_free(hint, length))
        return hint;
    /* Large regions begin where large pages can. */
    u64 at = anonymous && length >= HUGE_SIZE ? vma_find_gap(length, HUGE_SIZE, MAP_TOP) : 0;
    return at ? at : vma_find_gap(length, PAGE_SIZE, MAP_TOP);
}

i64 vm_map(u64 hint, u64 length, int prot, int flags, struct inode *inode, u64 offset) {
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (fixed && (hint < USER_START || hint > USER_END || length > USER_END - hint))
        return hint < USER_START ? -EPERM : -ENOMEM;
    if (flags & MAP_FIXED_NOREPLACE && !range_free(hint, length))
        return -EEXIST;
    struct vma *v = kzalloc(sizeof *v);
    if (!v)
        return -ENOMEM;
    v->prot = (u8)(prot & 7);
    /* Anonymous memory cannot be shared with anybody: there is one program and no fork. */
    v->shared = inode && (flags & MAP_TYPE) != MAP_PRIVATE;
    v->lazy = flags & (MAP_NORESERVE | MAP_STACK | MAP_GROWSDOWN);
    v->read_only = v->shared && flags & MAP_FILE_READ_ONLY;
    v->offset = offset;
    v->start = fixed ? hint : place(hint, length, !inode);
    v->end = v->start + length;
    /* Fixed mappings replace: what they give back counts for what they take. */
    int error = flags & MAP_FIXED ? vm_unmap(hint, length) : v->start ? 0 : -ENOMEM;
    if (!error && wants_promise(v)) {
        v->charged = pmm_promise(length_pages(v));
        error = v->charged ? 0 : -ENOMEM;
    }
    if (error) {
        kfree(v);
        return error;
    }
    if (inode) {
        v->inode = inode_get(inode);
        inode->regular.mappings++;
    }
    i64 at = (i64)v->start;
    vma_link(v);
    vma_merge(v);
    return at;
}

void vm_file_cut(const struct inode *i, u64 from, u64 to, bool private_too) {
    for (struct vma *v = i->regular.mappings ? vm_first() : NULL; v; v = vm_next(v)) {
        u64 first = v->offset >> PAGE_SHIFT, low = max_u64(first, from), high = min_u64(first + length_pages(v), to);
        if (v->inode != i || low >= high || !(v->shared || private_too))
            continue;
        u64 freed = pages_drop(v->start + ((low - first) << PAGE_SHIFT), v->start + ((high - first) << PAGE_SHIFT));
        if (v->charged)
            pmm_repromise(freed);
    }
}

int vm_check_mapped(u64 start, u64 length) {
    u64 at = start, end = start + length;
    for (struct vma *v = vma_at_or_after(start); at < end; v = vm_next(v)) {
        if (!v || v->start > at)
            return -ENOMEM;
        at = v->end;
    }
    return 0;
}

int vm_protect(u64 start, u64 length, int prot) {
    u64 end = start + length;
    int error = vm_check_mapped(start, length);
    if (!error)
        error = vma_isolate(start, end);
    /* First everything that can fail. */
    if (!error && !prot)
        error = pages_split_range(start, end);  /* large pages are present or not there at all */
    if (error)
        return error;
    u64 promised = 0;
    for (struct vma *v = vma_at_or_after(start); v && v->start < end; v = vm_next(v)) {
        if (v->read_only && prot & PROT_WRITE)
            return -EACCES;
        struct vma wanted = *v;
        wanted.prot = (u8)prot;
        if (!v->charged && wants_promise(&wanted))
            promised += length_pages(v) - pages_count_private(v->start, v->end);
    }
    if (promised && !pmm_promise(promised))
        return -ENOMEM;
    for (struct vma *v = vma_at_or_after(start), *next; v && v->start < end; v = next) {
        v->prot = (u8)prot;
        if (!v->charged && wants_promise(v))
            v->charged = true;
        pages_protect(v, v->start, v->end);
        v = vma_merge(v);
        next = vm_next(v);
    }
    return 0;
}

int vm_discard(u64 start, u64 length) {
    u64 end = start + length;
    if (pages_split_at(start) || pages_split_at(end))
        return -ENOMEM;
    for (struct vma *v = vma_at_or_after(start); v && v->start < end; v = vm_next(v)) {
        u64 freed = pages_drop(max_u64(v->start, start), min_u64(v->end, end));
        if (v->charged)
            pmm_repromise(freed);
    }
    return vm_check_mapped(start, length);
}

enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 };

i64 vm_remap(u64 old, u64 old_length, u64 new_length, int flags, u64 new_address) {
    if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED) || (flags & MREMAP_FIXED && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    struct vma *v = vm_find(old);
    if (!v || !old_length || v->end < old + old_length)
        return -EFAULT;
    if (flags & MREMAP_FIXED) {
        if (new_address < USER_START || (new_address < old + old_length && old < new_address + new_length))
            return -EINVAL;
        int error = user_range(new_address, new_length) ? vm_unmap(new_address, new_length) : -EINVAL;
        if (error)
            return error;
    }
    if (new_length < old_length) {
        int error = vm_unmap(old + new_length, old_length - new_length);
        if (error)
            return error;
        old_length = new_length;
    }
    if (new_length == old_length && !(flags & MREMAP_FIXED))
        return (i64)old;
    int error = vma_isolate(old, old + old_length);
    if (error)
        return error;
    v = vm_find(old);
    u64 more = new_length - old_length;
    if (v->charged && !pmm_promise(more >> PAGE_SHIFT))
        return -ENOMEM;
    if (!(flags & MREMAP_FIXED) && old + new_length <= USER_END && range_free(old + old_length, more)) {
        vm_counts.mapped += more >> PAGE_SHIFT;
        v->end = old + new_length;
        vma_resized(v);
        vma_merge(v);
        return (i64)old;
    }
    u64 at = flags & MREMAP_FIXED ? new_address : flags & MREMAP_MAYMOVE ? vma_find_gap(new_length, PAGE_SIZE, MAP_TOP) : 0;
    int moved = at ? pages_move(old, at, old_length) : -ENOMEM;
    if (moved) {
        if (at)
            pages_move(at, old, old_length);    /* back: those tables exist, so it cannot fail */
        if (v->charged)
            pmm_unpromise(more >> PAGE_SHIFT);
        return -ENOMEM;
    }
    vma_unlink(v);
    v->start = at;
    v->end = at + new_length;
    vma_link(v);
    vma_merge(v);
    paging_prune(old, old + old_length);
    return (i64)at;
}

void vm_set_brk(u64 start) { brk_start = brk_end = ALIGN_UP(start, PAGE_SIZE); }

u64 vm_brk(u64 wanted) {
    u64 end = ALIGN_UP(wanted, PAGE_SIZE);
    if (wanted < brk_start || wanted > brk_start + (1ull << 40))
        return brk_end;
    u64 old = ALIGN_UP(brk_end, PAGE_SIZE);
    if (end > old) {
        if (!range_free(old, end - old) || vm_map(old, end - old, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, NULL, 0) < 0)
            return brk_end;
    } else if (end < old && vm_unmap(end, old - end)) {
        return brk_end;
    }
    return brk_end = wanted;
}
