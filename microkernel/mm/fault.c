/* Page faults, and the pages of a region: given when touched, copied when a private one of a file's is
 * written, dropped with their mapping. */
#include "arch/x86_64/cpu.h"
#include "core/errno.h"
#include "core/string.h"
#include "fs/inode.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vm_internal.h"
#include "sys/signal.h"

/* Pages mapped around a fault, because the next ones are likely to follow: always for files (it costs no
 * memory), for anonymous memory only while there is plenty. */
#define FILE_AROUND 16
#define ANONYMOUS_AROUND 16
#define PLENTY_PAGES 8192                       /* 32 MiB */

static u64 pte_flags(const struct vma *v, bool writable) {
    return PTE_P | PTE_A | (writable ? PTE_W | PTE_D : 0) | (v->prot & PROT_EXEC ? 0 : PTE_NX);
}

/* A fresh private page for this region: promised or, for lazy regions such as stacks, if there is one. */
static paddr_t private_page(const struct vma *v, unsigned order, bool clear) {
    return pmm_alloc(order, (v->charged ? PMM_PROMISED : PMM_TOUCH) | (clear ? PMM_CLEAR : 0));
}

static bool map_huge(struct vma *v, u64 address) {
    u64 base = ALIGN_DOWN(address, HUGE_SIZE);
    if (v->lazy || base < v->start || base + HUGE_SIZE > v->end || !pmm_available(PLENTY_PAGES))
        return false;
    u64 *e = paging_huge_entry(base, true);
    if (!e || *e & PTE_P)
        return false;
    paddr_t frames = private_page(v, 9, true);
    if (!frames)
        return false;
    *e = frames | pte_flags(v, v->prot & PROT_WRITE) | PTE_PS | PTE_PRIVATE;
    vm_counts.resident += 512;
    return true;
}

static int anonymous_fault(struct vma *v, u64 address) {
    if (map_huge(v, address))
        return 0;
    u64 count = !v->lazy && pmm_available(PLENTY_PAGES) ? ANONYMOUS_AROUND : 1;
    u64 start = max_u64(v->start, ALIGN_DOWN(address, count * PAGE_SIZE)), end = min_u64(v->end, ALIGN_DOWN(address, count * PAGE_SIZE) + count * PAGE_SIZE);
    u64 *e = paging_entry(address, true, NULL);
    if (!e)
        return SIGBUS;
    for (u64 at = start; at < end; at += PAGE_SIZE) {
        u64 *slot = e + ((i64)(at - address) >> PAGE_SHIFT);
        if (*slot)
            continue;
        paddr_t frame = private_page(v, 0, true);
        if (!frame) {
            if (at == address)
                return SIGBUS;
            continue;
        }
        *slot = frame | pte_flags(v, v->prot & PROT_WRITE) | PTE_PRIVATE;
        vm_counts.resident++;
    }
    return *e & PTE_P ? 0 : SIGBUS;
}

/* A private page with a file's content takes its place: 0 or SIGBUS. */
static int private_copy(const struct vma *v, u64 *e, const struct page *page) {
    paddr_t frame = private_page(v, 0, false);
    if (!frame)
        return SIGBUS;
    memcpy(phys_to_virt(frame), phys_to_virt(page_address(page)), PAGE_SIZE);
    *e = frame | pte_flags(v, true) | PTE_PRIVATE;
    vm_counts.resident++;
    return 0;
}

static u64 file_index(const struct vma *v, u64 address) { return (v->offset + (address - v->start)) >> PAGE_SHIFT; }

static void map_file_page(struct vma *v, u64 *slot, struct page *page, bool writable) {
    page_get(page);
    *slot = page_address(page) | pte_flags(v, writable);
}

static void map_file_around(struct vma *v, u64 *e, u64 address) {
    u64 base = ALIGN_DOWN(address, FILE_AROUND * PAGE_SIZE);
    for (u64 at = max_u64(base, v->start); at < min_u64(base + FILE_AROUND * PAGE_SIZE, v->end); at += PAGE_SIZE) {
        u64 *slot = e + ((i64)(at - address) >> PAGE_SHIFT), index = file_index(v, at);
        if (*slot || index << PAGE_SHIFT >= v->inode->size)
            continue;
        struct page *page = regular_page(v->inode, index, false);
        if (page)
            map_file_page(v, slot, page, v->shared && v->prot & PROT_WRITE);
    }
}

static int file_fault(struct vma *v, u64 address, bool write, int *code) {
    u64 index = file_index(v, address);
    if (index << PAGE_SHIFT >= v->inode->size) {
        *code = BUS_ADRERR;
        return SIGBUS;                          /* past the end of the file */
    }
    u64 *e = paging_entry(address, true, NULL);
    struct page *page = e ? regular_page(v->inode, index, true) : NULL;
    if (!page)
        return SIGBUS;
    if (!write || v->shared) {
        map_file_page(v, e, page, v->shared && v->prot & PROT_WRITE);
        map_file_around(v, e, address);
        return 0;
    }
    return private_copy(v, e, page);
}

/* A store to a present, read-only page of a writable region: a file's page to copy, or one whose
 * permission was not raised yet. */
static int write_fault(struct vma *v, u64 *e, u64 address) {
    if (*e & PTE_PRIVATE || v->shared) {
        *e |= PTE_W | PTE_D;
        flush_page(address);
        return 0;
    }
    struct page *old = page_of(*e & PTE_ADDRESS);
    if (private_copy(v, e, old))
        return SIGBUS;
    flush_page(address);
    page_put(old);
    return 0;
}

/* QEMU's emulator keeps a table of translations that it enlarges only when the whole of it is flushed, which
 * nothing in one address space ever asks for. With its smallest one, 1.4 to 5 % of the time of a Python
 * benchmark goes into its slow path; with this, 0.6 to 1 %. Faults come while a program grows. */
static void let_emulator_grow_tlb(void) {
    static u32 faults;
    if (cpu_features.tcg && ++faults % 64 == 0)
        write_cr3(read_cr3());
}

bool vm_fill_hole(u64 address) {
    struct vma *v = vm_find(address);
    u64 *e = v ? paging_entry(address, true, NULL) : NULL;
    paddr_t frame = e && !*e ? private_page(v, 0, true) : 0;
    if (!frame)
        return false;
    *e = frame | pte_flags(v, true) | PTE_PRIVATE;
    vm_counts.resident++;
    return true;
}

bool page_usable(u64 address, bool write) {
    u64 *huge, *e = paging_entry(address, false, &huge);
    e = huge ? huge : e;
    return e && *e & PTE_P && (!write || *e & PTE_W);
}

int vm_fault(u64 address, enum fault_access access, int *code) {
    let_emulator_grow_tlb();
    struct vma *v = address < USER_END ? vm_find(address) : NULL;
    *code = SEGV_MAPERR;
    if (!v)
        return SIGSEGV;
    *code = SEGV_ACCERR;
    if (!(v->prot & (access == FAULT_WRITE ? PROT_WRITE : access == FAULT_EXEC ? PROT_EXEC : PROT_READ | PROT_WRITE | PROT_EXEC)))
        return SIGSEGV;
    *code = BUS_ADRERR;
    address = ALIGN_DOWN(address, PAGE_SIZE);
    u64 *huge, *e = paging_entry(address, false, &huge);
    if (huge) {
        if (access == FAULT_WRITE)
            *huge |= PTE_W | PTE_D;
        flush_page(address);
        return 0;
    }
    if (e && *e & PTE_P) {
        if (access == FAULT_WRITE && !(*e & PTE_W))
            return write_fault(v, e, address);
        flush_page(address);                    /* someone else was quicker */
        return 0;
    }
    if (v->inode)
        return file_fault(v, address, access == FAULT_WRITE, code);
    return anonymous_fault(v, address);
}

/* ---- stretches of pages ---- */

int pages_split_at(u64 address) {
    u64 *huge;
    if (!(address & (HUGE_SIZE - 1)))
        return 0;
    paging_entry(address, false, &huge);
    return huge && !paging_split(huge, address) ? -ENOMEM : 0;
}

int pages_split_range(u64 start, u64 end) {
    for (u64 va = paging_next(start, end); va < end; va = paging_next(ALIGN_DOWN(va, HUGE_SIZE) + HUGE_SIZE, end)) {
        u64 *huge;
        paging_entry(va, false, &huge);
        if (huge && !paging_split(huge, va))
            return -ENOMEM;
    }
    return 0;
}

/* Visits the entries of [start, end) that are not empty: for a large page one (wholly inside: pages_split_at saw to
 * that) that counts for 512. The sum of what the visits give. */
__attribute__((always_inline)) static inline u64 each_entry(u64 start, u64 end, const struct vma *v, u64 (*visit)(const struct vma *v, u64 *e, u64 pages)) {
    u64 sum = 0;
    for (u64 va = paging_next(start, end); va < end;) {
        u64 next = min_u64(ALIGN_DOWN(va, HUGE_SIZE) + HUGE_SIZE, end), *huge, *e = paging_entry(va, false, &huge);
        u64 pages = huge ? (next - va) >> PAGE_SHIFT : 1;
        for (e = huge ? huge : e; va < next; va += pages << PAGE_SHIFT, e++)
            if (*e)                             /* present, or kept by PROT_NONE */
                sum += visit(v, e, pages);
        va = paging_next(next, end);
    }
    return sum;
}

static u64 count_private(const struct vma *v, u64 *e, u64 pages) { return *e & PTE_PRIVATE ? pages : 0; }

static u64 drop(const struct vma *v, u64 *e, u64 pages) {
    u64 freed = count_private(v, e, pages);
    if (*e & PTE_PS)
        pmm_free(*e & PTE_ADDRESS, 9);
    else
        page_put(page_of(*e & PTE_ADDRESS));
    *e = 0;
    vm_counts.resident -= freed;
    return freed;
}

u64 pages_drop(u64 start, u64 end) {
    u64 freed = each_entry(start, end, NULL, drop);
    tlb_flush_range(start, end);
    return freed;
}

u64 pages_count_private(u64 start, u64 end) { return each_entry(start, end, NULL, count_private); }

/* A private page of a file stays read-only until it is copied; PROT_NONE takes the present bit but keeps
 * the rest, so that the page comes back with the permission. */
static u64 protect(const struct vma *v, u64 *e, u64 pages) {
    bool own = *e & PTE_PRIVATE || v->shared;
    u64 flags = (v->prot ? PTE_P : 0) | (v->prot & PROT_WRITE && own ? PTE_W | PTE_D : 0) | (v->prot & PROT_EXEC ? 0 : PTE_NX);
    *e = (*e & ~(PTE_P | PTE_W | PTE_NX)) | flags;
    return 0;
}

void pages_protect(struct vma *v, u64 start, u64 end) {
    each_entry(start, end, v, protect);
    tlb_flush_range(start, end);
}

int pages_move(u64 from, u64 to, u64 length) {
    for (u64 va = paging_next(from, from + length); va < from + length; va = paging_next(va + PAGE_SIZE, from + length)) {
        u64 *huge, *e = paging_entry(va, false, &huge);
        if (huge) {
            if (!paging_split(huge, va))
                return -ENOMEM;
            e = paging_entry(va, false, NULL);
        }
        if (!*e)
            continue;
        u64 *target = paging_entry(to + (va - from), true, NULL);
        if (!target)
            return -ENOMEM;
        *target = *e;
        *e = 0;
    }
    tlb_flush_range(from, from + length);
    return 0;
}
