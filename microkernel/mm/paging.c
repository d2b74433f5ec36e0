#include "mm/paging.h"

#include "arch/x86_64/cpu.h"
#include "core/panic.h"
#include "core/string.h"
#include "mm/pmm.h"

static u64 *pml4;
static bool early = true;
static paddr_t early_next, early_end;

extern const char kernel_headers[], kernel_text_end[], kernel_rodata_end[], kernel_end[];

/* Before the direct map is in force, tables are reached through the boot identity map. */
static void *table_at(paddr_t p) { return early ? (void *)p : phys_to_virt(p); }

static paddr_t table_alloc(void) {
    if (!early)
        return pmm_alloc(0, PMM_CLEAR | PMM_KERNEL);
    KASSERT(early_next < early_end);
    paddr_t p = early_next;
    early_next += PAGE_SIZE;
    memset(table_at(p), 0, PAGE_SIZE);
    return p;
}

static unsigned index_at(vaddr_t va, int level) { return va >> (12 + 9 * level) & 511; }

/* The table below entry `e`, made if wanted. */
static u64 *descend(u64 *e, bool create) {
    if (!(*e & PTE_P)) {
        paddr_t p = create ? table_alloc() : 0;
        if (!p)
            return NULL;
        *e = p | PTE_P | PTE_W;
    }
    return table_at(*e & PTE_ADDRESS);
}

static u64 *level2(vaddr_t va, bool create) {
    u64 *t = descend(&pml4[index_at(va, 3)], create);
    t = t ? descend(&t[index_at(va, 2)], create) : NULL;
    return t ? &t[index_at(va, 1)] : NULL;
}

u64 *paging_huge_entry(vaddr_t va, bool create) { return level2(va, create); }

u64 *paging_entry(vaddr_t va, bool create, u64 **huge) {
    u64 *e = level2(va, create);
    if (huge)
        *huge = NULL;
    if (!e)
        return NULL;
    if ((*e & (PTE_P | PTE_PS)) == (PTE_P | PTE_PS)) {
        if (huge)
            *huge = e;
        return NULL;
    }
    u64 *t = descend(e, create);
    return t ? &t[index_at(va, 0)] : NULL;
}

bool paging_split(u64 *huge, vaddr_t va) {
    paddr_t table = table_alloc();
    if (!table)
        return false;
    u64 *t = table_at(table), base = *huge & PTE_ADDRESS, flags = *huge & ~(PTE_ADDRESS | PTE_PS);
    for (u64 i = 0; i < 512; i++) {
        t[i] = (base + i * PAGE_SIZE) | flags;
        struct page *p = page_of(base + i * PAGE_SIZE);
        p->refs = 1;
        p->state = PAGE_USED;
        p->order = 0;
    }
    *huge = table | PTE_P | PTE_W;
    flush_page(ALIGN_DOWN(va, HUGE_SIZE));
    return true;
}

vaddr_t paging_next(vaddr_t va, vaddr_t end) {
    while (va < end) {
        u64 *t = pml4;
        int level = 3;
        for (; level > 0; level--) {
            u64 e = t[index_at(va, level)];
            if (!(e & PTE_P))
                break;
            if (level == 1)
                return va;
            t = table_at(e & PTE_ADDRESS);
        }
        u64 span = 1ull << (12 + 9 * level);
        va = ALIGN_DOWN(va, span) + span;
        if (!va)
            break;
    }
    return end;
}

static bool table_empty(const u64 *t) {
    for (int i = 0; i < 512; i++)
        if (t[i])
            return false;
    return true;
}

void paging_prune(vaddr_t start, vaddr_t end) {
    for (vaddr_t va = paging_next(start, end); va < end; va = paging_next(ALIGN_DOWN(va, HUGE_SIZE) + HUGE_SIZE, end)) {
        u64 *table = pml4, *e[4];
        for (int level = 3; level > 0; level--) {
            e[level] = &table[index_at(va, level)];
            table = table_at(*e[level] & PTE_ADDRESS);
        }
        for (int level = 1; level < 4 && !(*e[level] & PTE_PS) && table_empty(table_at(*e[level] & PTE_ADDRESS)); level++) {
            pmm_free(*e[level] & PTE_ADDRESS, 0);
            *e[level] = 0;
        }
    }
    /* Stale paging-structure caches: INVLPG of any address drops them all (SDM 3A, 4.10.4.1). */
    flush_page(start);
}

void tlb_flush_range(vaddr_t start, vaddr_t end) {
    if ((end - start) >> PAGE_SHIFT > 64) {
        write_cr3(read_cr3());
        return;
    }
    for (vaddr_t va = start; va < end; va += PAGE_SIZE)
        flush_page(va);
}

/* ---- set-up ---- */

u64 paging_early_size(paddr_t memory_end) {
    u64 gib = ALIGN_UP(memory_end, 1ull << 30) >> 30;
    /* PML4, direct map (one table per GiB, two for the ends of 4 KiB granularity), image, areas. */
    return (gib + 24) * PAGE_SIZE;
}

static void map_image(const char *from, const char *to, u64 flags) {
    for (vaddr_t va = (vaddr_t)from; va < (vaddr_t)to; va += PAGE_SIZE)
        *paging_entry(va, true, NULL) = (va - KERNEL_BASE) | flags | PTE_P | PTE_G;
}

void paging_init(paddr_t memory_end, paddr_t tables, u64 size) {
    early_next = tables;
    early_end = tables + size;
    paddr_t root = table_alloc();
    pml4 = table_at(root);

    map_image(kernel_headers, kernel_text_end, 0);
    map_image(kernel_text_end, kernel_rodata_end, PTE_NX);
    map_image(kernel_rodata_end, kernel_end, PTE_W | PTE_NX);

    /* The direct map: 2 MiB pages; where the kernel image lies, small ones that give no second,
     * writable way to its code and constants. */
    paddr_t image_start = (u64)kernel_headers - KERNEL_BASE, image_ro = (u64)kernel_rodata_end - KERNEL_BASE;
    for (paddr_t p = 0; p < memory_end; p += HUGE_SIZE) {
        if (p + HUGE_SIZE <= image_start || p >= image_ro) {
            *level2(DIRECT_BASE + p, true) = p | PTE_P | PTE_W | PTE_PS | PTE_G | PTE_NX;
            continue;
        }
        for (paddr_t q = p; q < p + HUGE_SIZE; q += PAGE_SIZE)
            *paging_entry(DIRECT_BASE + q, true, NULL) =
                q | PTE_P | PTE_G | PTE_NX | (q >= image_start && q < image_ro ? 0 : PTE_W);
    }
    /* The upper tables of the stack and device areas exist from the start and are never pruned. */
    descend(&pml4[index_at(KSTACK_BASE, 3)], true);
    descend(&pml4[index_at(MMIO_BASE, 3)], true);
    write_cr3(root);
    early = false;
    pml4 = phys_to_virt(root);
}

/* ---- areas of the kernel's own ---- */

/* Address space is plenty (512 GiB each) and never reused; frames are. */
static vaddr_t next_device = MMIO_BASE, first_program_device = UINT64_MAX;

void map_device_boot_done(void) { first_program_device = next_device; }
bool is_program_device(u64 address, u64 size) { return address >= first_program_device && address + size <= next_device && size <= next_device; }

static void unmap(vaddr_t from, vaddr_t to, bool free) {
    for (vaddr_t va = from; va < to; va += PAGE_SIZE) {
        u64 *e = paging_entry(va, false, NULL);
        if (!e || !*e)
            continue;
        if (free)
            pmm_free(*e & PTE_ADDRESS, 0);
        *e = 0;
        flush_page(va);
    }
}

void *map_device(paddr_t address, u64 size, bool write_combining) {
    paddr_t start = ALIGN_DOWN(address, PAGE_SIZE), end = ALIGN_UP(address + size, PAGE_SIZE);
    vaddr_t va = next_device;
    for (paddr_t p = start; p < end; p += PAGE_SIZE) {
        u64 *e = paging_entry(va + (p - start), true, NULL);
        if (!e) {
            unmap(va, va + (p - start), false);
            return NULL;
        }
        *e = p | PTE_P | PTE_W | PTE_NX | PTE_PWT | (write_combining ? 0 : PTE_PCD) | PTE_DEVICE;
    }
    next_device = va + (end - start) + PAGE_SIZE;
    return (void *)(va + (address - start));
}

void unmap_device(void *address, u64 size) {
    unmap(ALIGN_DOWN((u64)address, PAGE_SIZE), ALIGN_UP((u64)address + size, PAGE_SIZE), false);
}

#define STACK_SLOT (KERNEL_STACK_SIZE + PAGE_SIZE)
/* Freed stacks are linked through their top words. Of most only the top page stays mapped: their addresses,
 * and with them the page tables, are used again. */
#define STACKS_KEPT 32
static vaddr_t next_stack = KSTACK_BASE;
static u64 free_stack;
static unsigned free_stacks;

/* Maps what of a stack is not mapped: false, and all as before, without memory. */
static bool map_stack(vaddr_t from, vaddr_t to) {
    for (vaddr_t va = from; va < to; va += PAGE_SIZE) {
        u64 *e = paging_entry(va, true, NULL);
        if (e && *e)
            continue;
        paddr_t frame = e ? pmm_alloc(0, 0) : 0;
        if (!frame) {
            unmap(from, va, true);
            return false;
        }
        *e = frame | PTE_P | PTE_W | PTE_NX;
    }
    return true;
}

u64 kernel_stack_alloc(void) {
    if (free_stack) {
        u64 top = free_stack, next = ((u64 *)top)[-1];
        if (!map_stack(top - KERNEL_STACK_SIZE, top - PAGE_SIZE))
            return 0;
        free_stack = next;
        free_stacks--;
        return top;
    }
    vaddr_t bottom = next_stack + PAGE_SIZE;    /* the guard page stays unmapped */
    if (!map_stack(bottom, bottom + KERNEL_STACK_SIZE))
        return 0;
    next_stack += STACK_SLOT;
    return bottom + KERNEL_STACK_SIZE;
}

void kernel_stack_free(u64 top) {
    if (free_stacks++ >= STACKS_KEPT)
        unmap(top - KERNEL_STACK_SIZE, top - PAGE_SIZE, true);
    ((u64 *)top)[-1] = free_stack;
    free_stack = top;
}
