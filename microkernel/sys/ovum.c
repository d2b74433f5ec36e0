/* Calls of ovum's own: what the `_kernel` module asks for (numbers in pyhost/ovum_syscalls.h). */
#include "core/boot_info.h"
#include "core/clock.h"
#include "core/entropy.h"
#include "core/errno.h"
#include "core/log.h"
#include "core/panic.h"
#include "dev/console.h"
#include "dev/tty.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"
#include "mm/pmm.h"
#include "sys/calls.h"
#include "sys/device.h"
#include "sys/request.h"

enum { POWER_OFF, REBOOT, LOG, MMIO_MAP, MMIO_UNMAP, READ_MSR, WRITE_MSR, BOOT_INFO, SET_PANIC_HOOK, PANIC,
    SERVICES_WAIT, SERVICES_COMPLETE, SERVICES_WAKE, SERVICES_MOUNT, SERVICES_HOOK, IRQ_BIND, IRQ_ACKNOWLEDGE, IRQ_UNBIND, INSPECT, READ_LOG, SERVICES_WAIT_ZERO,
    IRQ_BIND_MESSAGE, DMA_ALLOC, DMA_FREE, RAM_ADDRESS, PHYSICAL_RANGES, ENTROPY_ADD, READ_SCREEN, TYPE, SOCKET };

static i64 log_line(u64 level, u64 from, u64 n) {
    char line[200];
    n = min_u64(n, sizeof line - 1);
    if (copy_from_user(line, from, n))
        return -EFAULT;
    if (level < LOG_ERROR || level > LOG_DEBUG)
        return -EINVAL;
    log_write((enum log_level)level, "%.*s", (int)n, line);
    return 0;
}

static i64 read_log(u64 position_at, u64 to, u64 size) {
    u64 position;
    if (copy_from_user(&position, position_at, sizeof position))
        return -EFAULT;
    char *page = kmalloc(PAGE_SIZE);
    if (!page)
        return -ENOMEM;
    size_t n = log_read(&position, page, min_u64(size, PAGE_SIZE));
    if (!n)
        log_follower = services_log_grown;
    i64 error = copy_to_user(to, page, n) || copy_to_user(position_at, &position, sizeof position) ? -EFAULT : 0;
    kfree(page);
    return error ? error : (i64)n;
}

static i64 add_entropy(u64 from, u64 n) {
    u8 bytes[64];
    n = min_u64(n, sizeof bytes);
    if (copy_from_user(bytes, from, n))
        return -EFAULT;
    entropy_add(bytes, n);
    return (i64)n;
}

static i64 read_screen(u64 position_at, u64 to, u64 size) {
    u64 position;
    u8 piece[256];
    if (copy_from_user(&position, position_at, sizeof position))
        return -EFAULT;
    size_t n = console_shown(&position, piece, min_u64(size, sizeof piece));
    return copy_to_user(to, piece, n) || copy_to_user(position_at, &position, sizeof position) ? -EFAULT : (i64)n;
}

static i64 type_bytes(u64 from, u64 n) {
    u8 bytes[64];
    n = min_u64(n, sizeof bytes);
    if (copy_from_user(bytes, from, n))
        return -EFAULT;
    tty_input(bytes, n);
    return (i64)n;
}

static i64 panic_call(u64 from, u64 n) {
    char text[200] = {0};
    if (copy_from_user(text, from, min_u64(n, sizeof text - 1)))
        return -EFAULT;
    panic("%s", text);
}

static i64 boot_text(u64 to, u64 size) {
    char *text = kmalloc(PAGE_SIZE);
    struct pmm_statistics m = pmm_statistics();
    const struct boot_framebuffer *fb = &boot_info.framebuffer;
    if (!text)
        return -ENOMEM;
    size_t n = format_text(text, PAGE_SIZE, "door=%s\ntsc_khz=%lu\nmemory=%lu\nhypervisor=%d\n", boot_info.door, clock_tsc_khz(), m.total * PAGE_SIZE,
                           cpu_features.hypervisor);
    if (fb->address)
        n += format_text(text + n, PAGE_SIZE - n, "framebuffer=%lx %u %u %u %u %u %u %u %u %u %u %u\n", fb->address, fb->width, fb->height, fb->pitch, fb->bits_per_pixel, fb->type,
                         fb->colours[0], fb->colours[1], fb->colours[2], fb->colours[3], fb->colours[4], fb->colours[5]);
    if (boot_info.has_rsdp) {
        n += format_text(text + n, PAGE_SIZE - n, "rsdp=");
        for (unsigned i = 0; i < sizeof boot_info.rsdp; i++)
            n += format_text(text + n, PAGE_SIZE - n, "%02x", boot_info.rsdp[i]);
        n += format_text(text + n, PAGE_SIZE - n, "\n");
    }
    n += format_text(text + n, PAGE_SIZE - n, "memory_regions=");
    for (u32 i = 0; i < boot_info.region_count && n < PAGE_SIZE; i++)
        n += format_text(text + n, PAGE_SIZE - n, "%s%lx-%lx:%s", i ? "," : "", boot_info.regions[i].start, boot_info.regions[i].end, boot_info.regions[i].usable ? "ram" : "reserved");
    if (n < PAGE_SIZE)
        n += format_text(text + n, PAGE_SIZE - n, "\ncommand_line=%s\n", boot_info.command_line);
    n = min_u64(n, PAGE_SIZE - 1);
    i64 result = n <= size && copy_to_user(to, text, n) ? -EFAULT : (i64)n;
    kfree(text);
    return result;
}

i64 ovum_call(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e) {
    u64 value;
    switch (number) {
    case POWER_OFF:
        console_exit((u8)a);
    case REBOOT:
        machine_reboot();
    case LOG:
        return log_line(a, b, c);
    case MMIO_MAP:
        return device_map(a, b, c);
    case MMIO_UNMAP:
        return device_unmap(a, b);
    case DMA_ALLOC:
        return dma_alloc(a, b);
    case DMA_FREE:
        dma_free(a, b);
        return 0;
    case RAM_ADDRESS:
        return ram_address(a, b);
    case PHYSICAL_RANGES:
        return physical_ranges(a, b, c, d, e);
    case ENTROPY_ADD:
        return add_entropy(a, b);
    case READ_SCREEN:
        return read_screen(a, b, c);
    case TYPE:
        return type_bytes(a, b);
    case SOCKET:
        return door_call(a, b, c, d, e);
    case READ_MSR:
        return !rdmsr_safe((u32)a, &value) ? -EIO : copy_to_user(b, &value, sizeof value);
    case WRITE_MSR:
        return wrmsr_safe((u32)a, b) ? 0 : -EIO;
    case BOOT_INFO:
        return boot_text(a, b);
    case PANIC:
        return panic_call(a, b);
    case SERVICES_WAIT:
        return services_wait(a, b, c, d);
    case SERVICES_COMPLETE:
        return services_complete(a, (i64)b, c, d);
    case SERVICES_WAKE:
        services_wake();
        return 0;
    case SERVICES_MOUNT:
        return services_mount(a, b);
    case SERVICES_HOOK:
        return services_set_hook(a, b, c);
    case IRQ_BIND:
        return interrupt_bind(a);
    case IRQ_BIND_MESSAGE:
        return interrupt_bind_message(a);
    case IRQ_ACKNOWLEDGE:
        return interrupt_acknowledge(a);
    case IRQ_UNBIND:
        return interrupt_unbind(a);
    case SERVICES_WAIT_ZERO:
        return services_wait_zero(a, b);
    case INSPECT:
        return inspect(a, b, c);
    case READ_LOG:
        return read_log(a, b, c);
    case SET_PANIC_HOOK:
        if (!user_range(a, 1))
            return -EFAULT;
        panic_set_hook((void (*)(int))a);
        return 0;
    }
    return -ENOSYS;
}
