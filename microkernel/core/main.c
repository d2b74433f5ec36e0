/* The order in which the machine comes up. */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "core/boot_info.h"
#include "core/clock.h"
#include "core/entropy.h"
#include "core/log.h"
#include "core/thread.h"
#include "dev/acpi.h"
#include "dev/console.h"
#include "fs/device.h"
#include "fs/inode.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "sys/calls.h"

__attribute__((noreturn)) void kernel_main(u32 door, paddr_t info);

void kernel_main(u32 door, paddr_t info) {
    boot_info_init(door, info);
    cpu_init();
    console_init();
    clock_init();
    log_info("ovum: booted through %s: %s", boot_info.door, boot_info.command_line);
    pmm_init();
    acpi_init();
    apic_init();
    acpi_power_button_init();
    clock_timer_init();
    entropy_init();
    inode_init();
    u64 entries = 0;
    for (u32 i = 0; i < boot_info.archive_count; i++)
        entries += cpio_unpack(phys_to_virt(boot_info.archives[i].start), boot_info.archives[i].size);
    device_init();
    log_info("files: %lu from %u archives", entries, boot_info.archive_count);
    map_device_boot_done();
    system_init();
    struct thread *first = exec_init();
    console_start();
    log_info("starting /init");
    scheduler_start(first);
}
