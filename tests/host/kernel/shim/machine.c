#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"
#include "mm/paging.h"
#include "mm/pmm.h"

unsigned long machine_direct_base, machine_kernel_base;
unsigned machine_errors;
bool machine_quiet;
jmp_buf *machine_panic;

struct boot_info boot_info;
int log_show_level;
i64 clock_wall_offset;

/* The image: only its place counts. */
const char kernel_headers[MACHINE_KERNEL_SIZE];
__asm__(".globl kernel_end\n.set kernel_end, kernel_headers + 0x10000");

void machine_bare_memory(unsigned long mib) {
    machine_direct_base = (unsigned long)aligned_alloc(PAGE_SIZE << PMM_MAX_ORDER, mib << 20);
    machine_kernel_base = (unsigned long)kernel_headers - MACHINE_KERNEL;
    CHECK(machine_direct_base);
}

void machine_memory(unsigned long mib) {
    machine_bare_memory(mib);
    boot_info.regions[0] = (struct boot_region){0, 0x9fc00, true};
    boot_info.regions[1] = (struct boot_region){0xf0000, 0x100000, false};
    boot_info.regions[2] = (struct boot_region){0x100000, mib << 20, true};
    boot_info.region_count = 3;
}

void panic_at(const struct frame *f, const char *format, ...) {
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (machine_panic)
        longjmp(*machine_panic, 1);
    check_fail("panic", 0, "%s", text);
}

void log_write(enum log_level level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (!machine_quiet) {
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
    }
    va_end(args);
    machine_errors += level == LOG_ERROR;
}

u64 clock_now(void) {
    static u64 now;
    return now += NS_PER_MS;
}

void clear_pages(void *to, size_t n) { memset(to, 0, n); }

/* Page tables are no concern of the checks, but the frames for the first ones are taken from memory. */
u64 paging_early_size(paddr_t memory_end) { return ALIGN_UP(memory_end >> 9, PAGE_SIZE); }
void paging_init(paddr_t memory_end, paddr_t tables, u64 size) { (void)memory_end, (void)tables, (void)size; }
