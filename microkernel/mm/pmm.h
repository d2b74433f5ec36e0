/* Physical page frames: a buddy allocator with a reference count for every page, and the account of
 * what has been promised to programs but not yet given (so that a promise can always be kept). */
#pragma once

#include "arch/x86_64/layout.h"
#include "core/types.h"

#define PMM_MAX_ORDER 10                        /* 4 MiB */

enum page_state { PAGE_RESERVED, PAGE_FREE, PAGE_USED, PAGE_SLAB };

/* One for every frame below the end of memory; 16 bytes. */
struct page {
    union {
        struct { u32 next, prev; };             /* PAGE_FREE: neighbours in the free list */
        void *slab;                             /* PAGE_SLAB: the slab this page belongs to */
    };
    u32 refs;                                   /* PAGE_USED: mappings and owners */
    u8 order, state;
};

enum pmm_flags {
    PMM_CLEAR = 1,                              /* zero-filled */
    PMM_PROMISED = 2,                           /* fulfils an earlier pmm_promise: always possible */
    PMM_KERNEL = 4,                             /* page tables: may use the reserve, never what is promised */
    PMM_TOUCH = 8,                              /* for a touch, which cannot fail gracefully: may use half the reserve */
    PMM_FILE = 16,                              /* content of files: leaves programs a share to work with */
};

void pmm_init(void);
/* 2^order contiguous frames, one reference; 0 when memory is short (promises and the reserve count). */
paddr_t pmm_alloc(unsigned order, unsigned flags);
void pmm_free(paddr_t frames, unsigned order);

struct page *page_of(paddr_t frame);
paddr_t page_address(const struct page *page);
void page_get(struct page *page);
/* Drops a reference; the last one frees the page (reserved pages, like the boot archive's, stay). */
void page_put(struct page *page);

/* Sets frames aside in the account: false if they are not there. */
bool pmm_promise(u64 pages);
void pmm_unpromise(u64 pages);
/* A page given for a promise came back, but the promise stands. */
void pmm_repromise(u64 pages);
/* Would this many more pages be available to a program? */
bool pmm_available(u64 pages);

/* Does the range touch usable memory from 1 MiB on (below lie the firmware's tables)? */
bool pmm_manages(paddr_t start, u64 size);
/* Is all of the range memory? */
bool pmm_holds(paddr_t start, paddr_t end);

/* How much more files may take. */
u64 pmm_file_pages(void);

struct pmm_statistics { u64 total, free, promised, reserve; };
struct pmm_statistics pmm_statistics(void);

static inline void *phys_to_virt(paddr_t p) { return (void *)(p + DIRECT_BASE); }
static inline paddr_t virt_to_phys(const void *v) { return (paddr_t)v - DIRECT_BASE; }
