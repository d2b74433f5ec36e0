/* What drivers in Python need: device memory, memory that devices can reach, where the program's own is. */
#include "sys/device.h"

#include "core/errno.h"
#include "core/thread.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vm.h"
#include "sys/calls.h"

#define DEVICE_LIMIT (256ull << 20)
#define PHYSICAL_END (1ull << 46)

i64 device_map(u64 address, u64 size, u64 write_combining) {
    if (!size || size > DEVICE_LIMIT || address > PHYSICAL_END - size || write_combining > 1)
        return -EINVAL;
    if (pmm_manages(address, size))
        return -EPERM;                          /* a stray store would hit somebody's page */
    void *at = map_device(address, size, write_combining);
    return at ? (i64)at : -ENOMEM;
}

i64 device_unmap(u64 address, u64 size) {
    if (!is_program_device(address, size))
        return -EINVAL;
    unmap_device((void *)address, size);
    return 0;
}

static unsigned order_of(u64 size) {
    unsigned order = 0;
    while ((u64)PAGE_SIZE << order < size)
        order++;
    return order;
}

i64 dma_alloc(u64 size, u64 physical_at) {
    if (!size || size > (u64)PAGE_SIZE << PMM_MAX_ORDER)
        return -EINVAL;
    paddr_t frames = pmm_alloc(order_of(size), PMM_CLEAR);
    if (!frames)
        return -ENOMEM;
    if (copy_to_user(physical_at, &frames, sizeof frames)) {
        pmm_free(frames, order_of(size));
        return -EFAULT;
    }
    return (i64)phys_to_virt(frames);
}

void dma_free(u64 address, u64 size) { pmm_free(virt_to_phys((void *)address), order_of(size)); }

i64 ram_address(u64 physical, u64 size) {
    u64 end = physical + size;
    if (!size || end < physical || !pmm_holds(physical, end))
        return -EINVAL;
    return (i64)phys_to_virt(physical);
}

static paddr_t frame_of(u64 address, bool writable) {
    if (address >= DIRECT_BASE && address < KSTACK_BASE)
        return virt_to_phys((void *)ALIGN_DOWN(address, PAGE_SIZE));
    u64 *huge, *e = paging_entry(address, false, &huge);
    e = huge ? huge : e;
    if (address >= USER_END || !e || !(*e & PTE_P) || (writable && !(*e & PTE_W)))
        return 0;
    paddr_t base = *e & PTE_ADDRESS;
    return huge ? ALIGN_DOWN(base, HUGE_SIZE) + (ALIGN_DOWN(address, PAGE_SIZE) & (HUGE_SIZE - 1)) : base;
}

i64 physical_ranges(u64 address, u64 length, u64 writable, u64 to, u64 room) {
    struct { u64 start, length; } range = {0, 0};
    u64 count = 0, end = address + length;
    if (end < address || !length)
        return -EINVAL;
    while (address < end) {
        u64 n = min_u64(end, ALIGN_DOWN(address, PAGE_SIZE) + PAGE_SIZE) - address;
        paddr_t frame = frame_of(address, writable);
        if (!frame)
            return -EFAULT;
        paddr_t at = frame + (address & (PAGE_SIZE - 1));
        if (range.length && range.start + range.length == at) {
            range.length += n;
        } else {
            if (range.length && count++ < room && copy_to_user(to + (count - 1) * sizeof range, &range, sizeof range))
                return -EFAULT;
            range.start = at;
            range.length = n;
        }
        address += n;
    }
    if (count++ < room && copy_to_user(to + (count - 1) * sizeof range, &range, sizeof range))
        return -EFAULT;
    return (i64)count;
}
