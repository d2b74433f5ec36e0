/* Page tables of the one address space: mechanism only; what may be where is vm.c's business. */
#pragma once

#include "core/types.h"

/* Bits of a page table entry (Intel SDM 3A, 4.5). Nothing has the U bit: all code runs in ring 0. */
#define PTE_P   (1ull << 0)
#define PTE_W   (1ull << 1)
#define PTE_PWT (1ull << 3)
#define PTE_PCD (1ull << 4)
#define PTE_A   (1ull << 5)
#define PTE_D   (1ull << 6)
#define PTE_PS  (1ull << 7)
#define PTE_G   (1ull << 8)
/* Ours: a private page of this mapping, counted against its promise (not a file's page). */
#define PTE_PRIVATE (1ull << 9)
/* Ours: device memory, no page behind it. */
#define PTE_DEVICE (1ull << 10)
#define PTE_NX  (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* Bytes of page tables paging_init needs for a direct map up to memory_end. */
u64 paging_early_size(paddr_t memory_end);
/* Leaves the boot tables: kernel image with its own permissions, direct map without execution, nothing
 * in the lower half. */
void paging_init(paddr_t memory_end, paddr_t tables, u64 size);

/* The entry of a 4 KiB page, its tables made when `create`; NULL if there are none (or no memory), or
 * if a 2 MiB page covers it (then *huge, if given, is its entry). */
u64 *paging_entry(vaddr_t va, bool create, u64 **huge);
/* The level-2 entry of the 2 MiB around va, for a large page; NULL as above. */
u64 *paging_huge_entry(vaddr_t va, bool create);
/* Turns a 2 MiB page into 512 small ones with the same frames; false without memory. */
bool paging_split(u64 *huge, vaddr_t va);
/* Frees the page tables that lie wholly in [start, end) of the lower half; they must be empty. */
void paging_prune(vaddr_t start, vaddr_t end);
/* First address at or after va (below end) that has a page table at all: skips holes of any size. */
vaddr_t paging_next(vaddr_t va, vaddr_t end);

void tlb_flush_range(vaddr_t start, vaddr_t end);

/* Maps physical pages at MMIO_BASE + something, uncached or write-combining; NULL without memory. */
void *map_device(paddr_t address, u64 size, bool write_combining);
void unmap_device(void *address, u64 size);
/* Marks the end of the kernel's own device mappings; does a range lie behind it? */
void map_device_boot_done(void);
bool is_program_device(u64 address, u64 size);

/* A kernel stack with an unmapped page below it: its top; 0 without memory. */
u64 kernel_stack_alloc(void);
void kernel_stack_free(u64 top);
#define KERNEL_STACK_SIZE 12288
