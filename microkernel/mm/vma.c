/* The regions of the address space: an ordered tree that also knows its gaps, so that finding a place for
 * a mapping costs O(log n) however many there are. */
#include "core/errno.h"
#include "core/panic.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "mm/vm_internal.h"

static void update(struct avl_node *node);
static struct avl_tree tree = {NULL, update};
static struct vma *last_found;

#define VMA(n) avl_item(n, struct vma, node)

static void update(struct avl_node *n) {
    struct vma *v = VMA(n);
    v->tree_start = n->left ? VMA(n->left)->tree_start : v->start;
    v->tree_end = n->right ? VMA(n->right)->tree_end : v->end;
    u64 gap = 0;
    if (n->left)
        gap = max_u64(VMA(n->left)->tree_gap, v->start - VMA(n->left)->tree_end);
    if (n->right)
        gap = max_u64(gap, max_u64(VMA(n->right)->tree_gap, VMA(n->right)->tree_start - v->end));
    v->tree_gap = gap;
}

struct vma *vma_at_or_after(u64 address) {
    struct avl_node *n = tree.root;
    struct vma *best = NULL;
    while (n) {
        struct vma *v = VMA(n);
        if (v->end > address) {
            best = v;
            if (v->start <= address)
                break;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return best;
}

struct vma *vm_find(u64 address) {
    if (last_found && last_found->start <= address && address < last_found->end)
        return last_found;
    struct vma *v = vma_at_or_after(address);
    if (!v || v->start > address)
        return NULL;
    return last_found = v;
}

struct vma *vm_first(void) { return vma_at_or_after(0); }

struct vma *vm_next(struct vma *v) {
    struct avl_node *n = avl_next(&v->node);
    return n ? VMA(n) : NULL;
}

void vma_link(struct vma *v) {
    struct avl_node **slot = &tree.root, *parent = NULL;
    while (*slot) {
        parent = *slot;
        slot = v->start < VMA(parent)->start ? &parent->left : &parent->right;
    }
    avl_insert(&tree, &v->node, parent, slot);
    vm_counts.mapped += (v->end - v->start) >> PAGE_SHIFT;
}

void vma_unlink(struct vma *v) {
    if (last_found == v)
        last_found = NULL;
    avl_remove(&tree, &v->node);
    vm_counts.mapped -= (v->end - v->start) >> PAGE_SHIFT;
}

void vma_resized(struct vma *v) { avl_updated(&tree, &v->node); }

void vma_free(struct vma *v) {
    if (v->inode) {
        v->inode->regular.mappings--;
        inode_put(v->inode);
    }
    kfree(v);
}

struct vma *vma_split(struct vma *v, u64 at) {
    struct vma *upper = kmalloc(sizeof *upper);
    if (!upper)
        return NULL;
    *upper = *v;
    upper->start = at;
    if (upper->inode) {
        upper->offset += at - v->start;
        inode_get(upper->inode)->regular.mappings++;
    }
    vm_counts.mapped -= (v->end - at) >> PAGE_SHIFT;
    v->end = at;
    vma_resized(v);
    vma_link(upper);
    return upper;
}

static bool joinable(const struct vma *a, const struct vma *b) {
    return a->end == b->start && a->prot == b->prot && a->shared == b->shared && a->read_only == b->read_only && a->charged == b->charged &&
           a->lazy == b->lazy && a->inode == b->inode &&
           (!a->inode || a->offset + (a->end - a->start) == b->offset);
}

/* A region takes in the one that follows it. */
static void absorb(struct vma *v, struct vma *after) {
    u64 end = after->end;
    vma_unlink(after);
    vma_free(after);
    vm_counts.mapped += (end - v->end) >> PAGE_SHIFT;
    v->end = end;
    vma_resized(v);
}

struct vma *vma_merge(struct vma *v) {
    struct avl_node *n = avl_prev(&v->node);
    if (n && joinable(VMA(n), v)) {
        absorb(VMA(n), v);
        v = VMA(n);
    }
    n = avl_next(&v->node);
    if (n && joinable(v, VMA(n)))
        absorb(v, VMA(n));
    return v;
}

int vma_isolate(u64 start, u64 end) {
    if (pages_split_at(start) || pages_split_at(end))
        return -ENOMEM;
    struct vma *v = vma_at_or_after(start);
    if (v && v->start < start && !vma_split(v, start))
        return -ENOMEM;
    v = vma_at_or_after(end - 1);
    if (v && v->start < end && v->end > end && !vma_split(v, end))
        return -ENOMEM;
    return 0;
}

/* The highest fitting place in [low, high), a gap; 0 if it does not fit. */
static u64 fit(u64 low, u64 high, u64 length, u64 align) {
    if (high < low || high - low < length)
        return 0;
    u64 at = ALIGN_DOWN(high - length, align);
    return at >= low ? at : 0;
}

/* Gaps inside the subtree, highest first, all below `limit`. */
static u64 search(struct avl_node *n, u64 length, u64 align, u64 limit) {
    if (!n || VMA(n)->tree_gap < length)
        return 0;
    struct vma *v = VMA(n);
    u64 at = 0;
    if (n->right && v->end < limit) {
        if ((at = search(n->right, length, align, limit)))
            return at;
        if ((at = fit(v->end, min_u64(VMA(n->right)->tree_start, limit), length, align)))
            return at;
    }
    if (n->left) {
        if ((at = fit(VMA(n->left)->tree_end, min_u64(v->start, limit), length, align)))
            return at;
        at = search(n->left, length, align, limit);
    }
    return at;
}

u64 vma_find_gap(u64 length, u64 align, u64 limit) {
    if (!tree.root)
        return fit(USER_START, limit, length, align);
    struct vma *root = VMA(tree.root);
    u64 at = fit(root->tree_end, limit, length, align);
    if (!at)
        at = search(tree.root, length, align, limit);
    if (!at)
        at = fit(0x10000, min_u64(root->tree_start, limit), length, align);
    return at;
}
