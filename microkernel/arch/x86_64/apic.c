#include "arch/x86_64/apic.h"

#include "arch/x86_64/cpu.h"
#include "core/log.h"
#include "core/panic.h"
#include "dev/acpi.h"
#include "mm/paging.h"

/* Local APIC registers (Intel SDM 3A, 11.4.1). */
enum {
    LAPIC_TPR = 0x80, LAPIC_EOI = 0xb0, LAPIC_SPURIOUS = 0xf0, LAPIC_LVT_TIMER = 0x320, LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360, LAPIC_LVT_ERROR = 0x370, LAPIC_TIMER_INITIAL = 0x380, LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0, LAPIC_ID = 0x20,
};
#define LVT_MASKED (1u << 16)

/* I/O APIC: an index and a data window (82093AA datasheet, 3.0). */
enum { IOAPIC_INDEX = 0, IOAPIC_DATA = 0x10, IOAPIC_VERSION = 1, IOAPIC_REDIRECTION = 0x10 };

static volatile u8 *lapic;
static struct ioapic {
    volatile u8 *registers;
    u32 first, lines;
} ioapics[IOAPICS];
static void (*handlers[IRQ_LINES])(unsigned irq);
u64 irq_counts[IRQ_LINES];

static void lapic_write(u32 reg, u32 v) { *(volatile u32 *)(lapic + reg) = v; }
static u32 lapic_read(u32 reg) { return *(volatile u32 *)(lapic + reg); }

static void ioapic_write(const struct ioapic *a, u32 reg, u32 v) {
    *(volatile u32 *)(a->registers + IOAPIC_INDEX) = reg;
    *(volatile u32 *)(a->registers + IOAPIC_DATA) = v;
}
static u32 ioapic_read(const struct ioapic *a, u32 reg) {
    *(volatile u32 *)(a->registers + IOAPIC_INDEX) = reg;
    return *(volatile u32 *)(a->registers + IOAPIC_DATA);
}

static const struct ioapic *ioapic_of(u32 gsi) {
    for (unsigned i = 0; i < IOAPICS; i++)
        if (gsi - ioapics[i].first < ioapics[i].lines)
            return &ioapics[i];
    return NULL;
}

static void mask_ioapics(void) {
    const struct acpi_ioapic *found;
    for (unsigned n = 0; (found = acpi_ioapic(n)); n++) {
        struct ioapic *a = &ioapics[n];
        *a = (struct ioapic){map_device(found->address, PAGE_SIZE, false), found->first, 0};
        KASSERT(a->registers);
        a->lines = (ioapic_read(a, IOAPIC_VERSION) >> 16 & 0xff) + 1;
        for (unsigned i = 0; i < a->lines; i++)
            ioapic_write(a, IOAPIC_REDIRECTION + 2 * i, LVT_MASKED);
    }
}

void apic_init(void) {
    out8(0x21, 0xff);                           /* mask both 8259s */
    out8(0xa1, 0xff);
    u64 base = rdmsr(MSR_APIC_BASE);
    wrmsr(MSR_APIC_BASE, base | 1 << 11);       /* global enable */
    lapic = map_device(base & 0xffffff000, PAGE_SIZE, false);
    KASSERT(lapic);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, LVT_MASKED);
    lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
    lapic_write(LAPIC_SPURIOUS, 1 << 8 | VECTOR_SPURIOUS);
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb);       /* by 1 */
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER); /* one-shot */
    mask_ioapics();
}

void apic_end_of_interrupt(void) { lapic_write(LAPIC_EOI, 0); }
void apic_timer_start(u32 ticks) { lapic_write(LAPIC_TIMER_INITIAL, ticks); }
u32 apic_timer_remaining(void) { return lapic_read(LAPIC_TIMER_CURRENT); }

static struct acpi_irq_route route_of(unsigned irq) { return irq < 16 ? acpi_isa_irq(irq) : (struct acpi_irq_route){irq, true, true}; }

static bool is_message(unsigned irq) { return irq >= IRQ_MESSAGES; }

static void redirect(unsigned irq, u32 mask) {
    struct acpi_irq_route route = route_of(irq);
    const struct ioapic *a = is_message(irq) ? NULL : ioapic_of(route.gsi);
    if (!a)
        return;
    ioapic_write(a, IOAPIC_REDIRECTION + 2 * (route.gsi - a->first),
                 (VECTOR_IRQ_BASE + irq) | (route.active_low ? 1u << 13 : 0) | (route.level ? 1u << 15 : 0) | mask);
}

bool irq_install(unsigned irq, void (*handler)(unsigned irq)) {
    u32 gsi = route_of(irq).gsi;
    const struct ioapic *a = is_message(irq) ? NULL : ioapic_of(gsi);
    if (irq >= IRQ_LINES || handlers[irq] || (!is_message(irq) && !a))
        return false;
    handlers[irq] = handler;
    if (a)
        ioapic_write(a, IOAPIC_REDIRECTION + 2 * (gsi - a->first) + 1, lapic_read(LAPIC_ID) & 0xff000000);
    redirect(irq, 0);
    return true;
}

void irq_remove(unsigned irq) {
    redirect(irq, LVT_MASKED);
    handlers[irq] = NULL;
}

void irq_hold(unsigned irq) {
    if (!is_message(irq) && route_of(irq).level)
        redirect(irq, LVT_MASKED);
}

void irq_release(unsigned irq) { redirect(irq, 0); }

u64 irq_message_address(void) { return 0xfee00000 | (u64)(lapic_read(LAPIC_ID) >> 24) << 12; }
u32 irq_message_data(unsigned irq) { return VECTOR_IRQ_BASE + irq; }

void irq_dispatch(unsigned vector) {
    unsigned irq = vector - VECTOR_IRQ_BASE;
    if (irq < IRQ_LINES)
        irq_counts[irq]++;
    if (irq < IRQ_LINES && handlers[irq])
        handlers[irq](irq);
    else
        log_warning("unexpected interrupt, vector %u", vector);
    apic_end_of_interrupt();
}
