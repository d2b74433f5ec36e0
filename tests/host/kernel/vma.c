/* mm/vma.c: the tree of regions and its gaps, against an array with an entry for every page. */
#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "mm/vm_internal.h"
#include "shim/heap.h"

#define PAGES 400
#define BASE 0x10000000ul
#define AT(page) (BASE + (u64)(page) * PAGE_SIZE)
#define LOWEST 0x10000ul                        /* where gaps begin */

unsigned long machine_direct_base, machine_kernel_base;
struct vm_statistics vm_counts;

/* Two files; nothing else of them is needed. */
static struct inode files[2] = {{.refs = 1}, {.refs = 1}};
void inode_put(struct inode *i) { i->refs--; }
/* There are no pages. */
int pages_split_at(u64 address) { return address ? 0 : -ENOMEM; }

/* What a page of the model is: 0 unmapped, 1 to 3 anonymous with a permission, 4 and up a file's. */
static struct model { u8 kind; u64 offset; } model[PAGES + 1];

static bool continues(unsigned page) {
    const struct model *a = &model[page - 1], *b = &model[page];
    return a->kind == b->kind && (b->kind < 4 || a->offset + PAGE_SIZE == b->offset);
}

static u8 kind_of(const struct vma *v) { return (u8)(v->inode ? 4 + (v->inode == &files[1]) * 3 + v->prot % 3 : v->prot); }

static void describe(struct vma *v, u8 kind, u64 offset) {
    v->prot = kind < 4 ? kind : (kind - 4) % 3;
    v->inode = kind < 4 ? NULL : &files[(kind - 4) / 3];
    v->offset = kind < 4 ? 0 : offset;
}

static void map(unsigned from, unsigned to, u8 kind, u64 offset) {
    struct vma *v = kzalloc(sizeof *v);
    CHECK(v);
    v->start = AT(from);
    v->end = AT(to);
    describe(v, kind, offset);
    if (v->inode)
        inode_get(v->inode);
    vma_link(v);
    v = vma_merge(v);
    CHECK(v->start <= AT(from) && v->end >= AT(to));
    for (unsigned page = from; page < to; page++)
        model[page] = (struct model){kind, kind < 4 ? 0 : offset + (page - from) * PAGE_SIZE};
}

static void unmap(unsigned from, unsigned to) {
    CHECK_EQUAL(vma_isolate(AT(from), AT(to)), 0);
    for (struct vma *v; (v = vma_at_or_after(AT(from))) && v->start < AT(to);) {
        CHECK_IN(v->start >= AT(from) && v->end <= AT(to), "%lx to %lx", v->start, v->end);
        vma_unlink(v);
        vma_free(v);
    }
    memset(model + from, 0, (to - from) * sizeof *model);
}

/* Another permission for all anonymous pages of a range. */
static void protect(unsigned from, unsigned to, u8 kind) {
    CHECK_EQUAL(vma_isolate(AT(from), AT(to)), 0);
    for (struct vma *v = vma_at_or_after(AT(from)); v && v->start < AT(to); v = vm_next(v))
        if (!v->inode) {
            v->prot = kind;
            v = vma_merge(v);
        }
    for (struct vma *v = vm_first(); v; v = vm_next(v))
        v = vma_merge(v);
    for (unsigned page = from; page < to; page++)
        if (model[page].kind && model[page].kind < 4)
            model[page].kind = kind;
}

/* ---- comparisons ---- */

/* The widest gap within a subtree whose regions lie in [*start, *end). */
static u64 checked_gap(const struct avl_node *n, u64 *start, u64 *end) {
    const struct vma *v = avl_item(n, struct vma, node);
    u64 gap = 0, inner_start, inner_end;
    *start = v->start;
    *end = v->end;
    if (n->left) {
        gap = max_u64(gap, checked_gap(n->left, start, &inner_end));
        gap = max_u64(gap, v->start - inner_end);
    }
    if (n->right) {
        gap = max_u64(gap, checked_gap(n->right, &inner_start, end));
        gap = max_u64(gap, inner_start - v->end);
    }
    CHECK(v->tree_start == *start && v->tree_end == *end && v->tree_gap == gap);
    return gap;
}

static void check_regions(void) {
    struct vma *v = vm_first();
    unsigned mapped = 0, regions = 0, users[2] = {1, 1};
    for (unsigned page = 0; page < PAGES;) {
        unsigned first = page++;
        if (!model[first].kind)
            continue;
        while (page < PAGES && continues(page))
            page++;
        CHECK_IN(v, "pages %u to %u", first, page);
        CHECK_IN(v->start == AT(first) && v->end == AT(page), "pages %u to %u: %lx to %lx", first, page, v->start, v->end);
        CHECK_IN(kind_of(v) == model[first].kind && v->offset == model[first].offset, "pages %u to %u", first, page);
        mapped += page - first;
        regions++;
        if (v->inode)
            users[v->inode == &files[1]]++;
        v = vm_next(v);
    }
    CHECK(!v);
    CHECK_EQUAL(vm_counts.mapped, mapped);
    CHECK_EQUAL(heap_objects, regions);
    CHECK(files[0].refs == users[0] && files[1].refs == users[1]);
    if (regions) {
        const struct avl_node *root = &vm_first()->node;
        u64 start, end;
        while (root->parent)
            root = root->parent;
        checked_gap(root, &start, &end);
    }
}

static void check_lookup(unsigned page) {
    u64 address = AT(page) + random_below(PAGE_SIZE);
    struct vma *v = vm_find(address), *next = vma_at_or_after(address);
    CHECK_IN(!v == !model[page].kind, "page %u", page);
    CHECK_IN(!v || (v->start <= address && address < v->end && v == next), "page %u", page);
    while (page < PAGES && !model[page].kind)
        page++;
    CHECK_IN(page == PAGES ? !next : next && next->start <= AT(page) && AT(page) < next->end, "page %u", page);
}

static u64 place(u64 low, u64 high, u64 length, u64 align) {
    u64 at = high >= low && high - low >= length ? ALIGN_DOWN(high - length, align) : 0;
    return at >= low ? at : 0;
}

static u64 model_gap(u64 length, u64 align, u64 limit) {
    u64 best = 0, low = vm_first() ? LOWEST : USER_START;
    for (unsigned page = 0; page < PAGES; page++)
        if (model[page].kind) {
            best = max_u64(best, place(low, min_u64(AT(page), limit), length, align));
            low = AT(page + 1);
        }
    return max_u64(best, place(low, limit, length, align));
}

static void check_gap(void) {
    u64 length = (1 + random_below(random_below(4) ? 12 : PAGES)) * PAGE_SIZE, align = (u64)PAGE_SIZE << random_below(5);
    u64 limit = random_below(3) ? AT(random_below(PAGES + 40)) : LOWEST + random_below(20) * PAGE_SIZE;
    u64 found = vma_find_gap(length, align, limit);
    CHECK_IN(found == model_gap(length, align, limit), "%lx, align %lx, below %lx: %lx", length, align, limit, found);
}

static void random_step(void) {
    unsigned from = (unsigned)random_below(PAGES), to = from + 1 + (unsigned)random_below(random_below(8) ? 8 : 60);
    to = to > PAGES ? PAGES : to;
    u64 choice = random_below(10);
    if (choice < 5) {
        unmap(from, to);
        u8 kind = (u8)(1 + random_below(9));
        /* The offset often continues what is before. */
        map(from, to, kind, random_below(2) ? AT(from) - BASE : random_below(100) * PAGE_SIZE);
    } else if (choice < 8) {
        unmap(from, to);
    } else {
        protect(from, to, (u8)(1 + random_below(3)));
    }
}

/* ---- checks ---- */

TEST(random_mappings_agree_with_an_array_of_pages) {
    for (int round = 0; round < 3000; round++) {
        random_step();
        check_regions();
        for (int i = 0; i < 5; i++)
            check_lookup((unsigned)random_below(PAGES));
    }
}

TEST(the_highest_gap_is_found_wherever_it_is) {
    for (int round = 0; round < 1000; round++) {
        random_step();
        for (int i = 0; i < 40; i++)
            check_gap();
    }
}

TEST(an_empty_address_space_is_one_gap) {
    CHECK(!vm_first() && !vm_find(BASE) && !vma_at_or_after(0));
    CHECK_EQUAL(vma_find_gap(PAGE_SIZE, PAGE_SIZE, USER_END), USER_END - PAGE_SIZE);
    CHECK_EQUAL(vma_find_gap(USER_END - USER_START, PAGE_SIZE, USER_END), USER_START);
    CHECK_EQUAL(vma_find_gap(USER_END, PAGE_SIZE, USER_END), 0);
    CHECK_EQUAL(vma_find_gap(PAGE_SIZE, HUGE_SIZE, USER_END), ALIGN_DOWN(USER_END - PAGE_SIZE, HUGE_SIZE));
}

TEST(neighbours_that_differ_stay_apart) {
    map(0, 10, 1, 0);
    map(10, 20, 2, 0);
    map(20, 30, 4, 0);
    map(30, 40, 4, 50 * PAGE_SIZE);
    map(40, 50, 4, 60 * PAGE_SIZE);
    CHECK_EQUAL(heap_objects, 4);
    for (unsigned i = 0; i < 3; i++) {
        struct vma *v = vm_find(AT(5)), *w = vm_find(AT(15));
        w->prot = v->prot;
        (i == 0 ? &w->shared : i == 1 ? &w->charged : &w->lazy)[0] = true;
        CHECK(vma_merge(w) == w && vm_find(AT(5)) == v);
        w->shared = w->charged = w->lazy = false;
        w->prot = 2;
    }
    check_regions();
}

TEST(a_filled_hole_makes_one_region_of_three) {
    map(0, 10, 4, 0);
    map(20, 30, 4, 20 * PAGE_SIZE);
    CHECK_EQUAL(heap_objects, 2);
    map(10, 20, 4, 10 * PAGE_SIZE);
    CHECK_EQUAL(heap_objects, 1);
    check_regions();
    CHECK_EQUAL(files[0].refs, 2);
}

TEST(without_memory_a_region_stays_whole) {
    map(0, 30, 4, 0);
    heap_left = 0;
    CHECK(!vma_split(vm_first(), AT(10)));
    CHECK_EQUAL(vma_isolate(AT(10), AT(20)), -ENOMEM);
    CHECK_EQUAL(vma_isolate(AT(0), AT(20)), -ENOMEM);
    CHECK_EQUAL(vma_isolate(AT(0), AT(30)), 0);
    check_regions();
    heap_left = 1;
    CHECK_EQUAL(vma_isolate(AT(10), AT(20)), -ENOMEM);
    CHECK_EQUAL(heap_objects, 2);
    vma_merge(vm_first());
    check_regions();
}
