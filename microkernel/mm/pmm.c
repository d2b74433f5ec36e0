#include "mm/pmm.h"

#include "core/boot_info.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"
#include "mm/paging.h"

#define NONE UINT32_MAX

static struct page *pages;
static u64 page_count;                          /* frames the array describes */
static u32 free_heads[PMM_MAX_ORDER + 1];
static u64 total_pages, free_pages, promised_pages, reserve_pages;

extern const char kernel_headers[], kernel_end[];

struct page *page_of(paddr_t frame) { return &pages[frame >> PAGE_SHIFT]; }
paddr_t page_address(const struct page *page) { return (paddr_t)(page - pages) << PAGE_SHIFT; }

static void list_push(u32 index, unsigned order) {
    struct page *p = &pages[index];
    p->state = PAGE_FREE;
    p->order = (u8)order;
    p->prev = NONE;
    p->next = free_heads[order];
    if (p->next != NONE)
        pages[p->next].prev = index;
    free_heads[order] = index;
}

static void list_take(u32 index, unsigned order) {
    struct page *p = &pages[index];
    if (p->prev != NONE)
        pages[p->prev].next = p->next;
    else
        free_heads[order] = p->next;
    if (p->next != NONE)
        pages[p->next].prev = p->prev;
    p->state = PAGE_USED;
}

static void buddy_free(u32 index, unsigned order) {
    free_pages += 1ull << order;
    while (order < PMM_MAX_ORDER) {
        u32 buddy = index ^ 1u << order;
        if (buddy >= page_count || pages[buddy].state != PAGE_FREE || pages[buddy].order != order)
            break;
        list_take(buddy, order);
        index &= ~(1u << order);
        order++;
    }
    list_push(index, order);
}

static u32 buddy_alloc(unsigned order) {
    unsigned o = order;
    while (o <= PMM_MAX_ORDER && free_heads[o] == NONE)
        o++;
    if (o > PMM_MAX_ORDER)
        return NONE;
    u32 index = free_heads[o];
    list_take(index, o);
    while (o > order) {
        o--;
        list_push(index + (1u << o), o);
    }
    free_pages -= 1ull << order;
    return index;
}

bool pmm_available(u64 n) { return free_pages >= promised_pages + reserve_pages + n; }

/* A full disk must not leave the program unable to say so: a sixteenth stays free of files, or what services
 * and some imports take (8 MiB, but no more than a quarter). */
u64 pmm_file_pages(void) {
    u64 kept = promised_pages + reserve_pages + max_u64(total_pages / 16, min_u64(total_pages / 4, (8 << 20) / PAGE_SIZE));
    return free_pages > kept ? free_pages - kept : 0;
}

bool pmm_promise(u64 n) {
    if (!pmm_available(n))
        return false;
    promised_pages += n;
    return true;
}

void pmm_unpromise(u64 n) {
    KASSERT(promised_pages >= n);
    promised_pages -= n;
}

void pmm_repromise(u64 n) { promised_pages += n; }

paddr_t pmm_alloc(unsigned order, unsigned flags) {
    u64 n = 1ull << order;
    if (flags & PMM_PROMISED) {
        KASSERT(promised_pages >= n);
    } else {
        u64 kept = flags & PMM_KERNEL ? 0 : flags & PMM_TOUCH ? reserve_pages / 2 : reserve_pages;
        if (flags & PMM_FILE ? pmm_file_pages() < n : free_pages < promised_pages + kept + n)
            return 0;
    }
    u32 index = buddy_alloc(order);
    if (index == NONE)
        return 0;
    if (flags & PMM_PROMISED)
        promised_pages -= n;
    struct page *p = &pages[index];
    p->refs = 1;
    p->order = (u8)order;
    p->slab = NULL;
    paddr_t frame = (paddr_t)index << PAGE_SHIFT;
    if (flags & PMM_CLEAR)
        clear_pages(phys_to_virt(frame), n << PAGE_SHIFT);
    return frame;
}

void pmm_free(paddr_t frames, unsigned order) {
    struct page *p = page_of(frames);
    KASSERT(p->state == PAGE_USED || p->state == PAGE_SLAB);
    buddy_free((u32)(frames >> PAGE_SHIFT), order);
}

void page_get(struct page *p) { p->refs++; }

void page_put(struct page *p) {
    KASSERT(p->refs > 0);
    if (--p->refs == 0 && p->state == PAGE_USED)
        buddy_free((u32)(p - pages), 0);
}

struct pmm_statistics pmm_statistics(void) {
    return (struct pmm_statistics){total_pages, free_pages, promised_pages, reserve_pages};
}

bool pmm_manages(paddr_t start, u64 size) {
    for (u32 i = 0; i < boot_info.region_count; i++) {
        const struct boot_region *r = &boot_info.regions[i];
        if (r->usable && r->end > 0x100000 && start < r->end && start + size > max_u64(r->start, 0x100000))
            return true;
    }
    return false;
}

bool pmm_holds(paddr_t start, paddr_t end) {
    for (u32 i = 0; i < boot_info.region_count; i++)
        if (boot_info.regions[i].usable && start >= boot_info.regions[i].start && end <= boot_info.regions[i].end)
            return true;
    return false;
}

/* Ranges in use before there is an allocator. */
static struct boot_region taken[BOOT_MAX_ARCHIVES + 4];
static unsigned taken_count;

static void take(paddr_t start, paddr_t end) {
    taken[taken_count++] = (struct boot_region){ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE), false};
}

/* The first range at or after `from` that touches [from, to); NULL if none. */
static const struct boot_region *taken_in(paddr_t from, paddr_t to) {
    const struct boot_region *best = NULL;
    for (unsigned i = 0; i < taken_count; i++)
        if (taken[i].start < to && taken[i].end > from && (!best || taken[i].start < best->start))
            best = &taken[i];
    return best;
}

/* Frames for page tables and the page array, before the buddy lists exist: never given back. */
static paddr_t early_alloc(u64 size) {
    for (u32 i = 0; i < boot_info.region_count; i++) {
        const struct boot_region *r = &boot_info.regions[i];
        if (!r->usable)
            continue;
        paddr_t at = max_u64(ALIGN_UP(r->start, PAGE_SIZE), 0x100000);
        const struct boot_region *t;
        while (at + size <= r->end && (t = taken_in(at, at + size)))
            at = t->end;
        if (at + size <= r->end) {
            take(at, at + size);
            return at;
        }
    }
    panic("not enough memory: no room for %lu KiB of tables", size >> 10);
}

static void free_range(paddr_t start, paddr_t end) {
    u64 i = start >> PAGE_SHIFT, n = end >> PAGE_SHIFT;
    while (i < n) {
        unsigned order = i ? min_u64((u64)__builtin_ctzll(i), PMM_MAX_ORDER) : PMM_MAX_ORDER;
        while (i + (1ull << order) > n)
            order--;
        for (u64 k = 0; k < 1ull << order; k++)
            pages[i + k].state = PAGE_USED;
        buddy_free((u32)i, order);
        total_pages += 1ull << order;
        i += 1ull << order;
    }
}

void pmm_init(void) {
    paddr_t memory_end = 0;
    for (u32 i = 0; i < boot_info.region_count; i++)
        if (boot_info.regions[i].usable)
            memory_end = max_u64(memory_end, ALIGN_DOWN(boot_info.regions[i].end, PAGE_SIZE));
    for (u32 i = 0; i < boot_info.archive_count; i++)
        if (boot_info.archives[i].start + boot_info.archives[i].size > memory_end)
            panic("not enough memory: the image's files take %lu MiB and end at %lu MiB, the machine has %lu MiB",
                  boot_info.archives[i].size >> 20, (boot_info.archives[i].start + boot_info.archives[i].size) >> 20, memory_end >> 20);
    /* Frame 0 is never given: 0 means "none". Nor is the rest of the first 64 KiB: boot loaders keep their
     * variables there, and QEMU's for PVH relies on finding zeros after a reset. */
    take(0, 0x10000);
    take((u64)kernel_headers - KERNEL_BASE, (u64)kernel_end - KERNEL_BASE);
    for (u32 i = 0; i < boot_info.archive_count; i++)
        take(boot_info.archives[i].start, boot_info.archives[i].start + boot_info.archives[i].size);

    page_count = memory_end >> PAGE_SHIFT;
    u64 array_size = ALIGN_UP(page_count * sizeof(struct page), PAGE_SIZE);
    paddr_t array = early_alloc(array_size);
    u64 tables_size = paging_early_size(memory_end);
    paddr_t tables = early_alloc(tables_size);
    paging_init(memory_end, tables, tables_size);

    pages = phys_to_virt(array);
    memset(pages, 0, array_size);
    for (unsigned o = 0; o <= PMM_MAX_ORDER; o++)
        free_heads[o] = NONE;
    for (u32 i = 0; i < boot_info.region_count; i++) {
        const struct boot_region *r = &boot_info.regions[i];
        if (!r->usable)
            continue;
        paddr_t at = ALIGN_UP(r->start, PAGE_SIZE), end = ALIGN_DOWN(r->end, PAGE_SIZE);
        while (at < end) {
            const struct boot_region *t = taken_in(at, end);
            if (t && t->start <= at) {
                at = min_u64(t->end, end);
                continue;
            }
            paddr_t stop = t ? t->start : end;
            free_range(at, stop);
            at = stop;
        }
    }
    /* What the kernel itself may still need when programs have taken all: page tables, stacks, slabs. */
    reserve_pages = max_u64(total_pages / 128, 64);
    log_info("memory: %lu KiB free of %lu KiB", free_pages * 4, memory_end >> 10);
}
