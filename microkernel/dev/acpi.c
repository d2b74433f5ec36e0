/* ACPI specification 6.4: 5.2.5 (RSDP), 5.2.9 (FADT), 5.2.12 (MADT), 7.4.2 (_S5). _S5_ is found by its
 * encoding in the DSDT, without an AML interpreter: it is a package of constants on every machine seen. */
#include "dev/acpi.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "core/boot_info.h"
#include "core/log.h"
#include "core/string.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "sys/request.h"

struct header {
    char signature[4];
    u32 length;
    u8 revision, checksum;
    char oem[26];
} __attribute__((packed));
_Static_assert(sizeof(struct header) == 36, "ACPI 5.2.6");

static struct acpi_ioapic ioapics[IOAPICS] = {{0xfec00000, 0}};
static unsigned ioapic_count = 1;
static struct acpi_irq_route routes[16];
static u16 pm1a_control, pm1b_control, pm1a_status, pm1a_enable, smi_command, system_irq;
static u8 acpi_enable;
static volatile u8 *sleep_control;              /* hardware-reduced ACPI: a register in memory or… */
static u16 sleep_control_port;                  /* …a port (4.8.3.7) */
static u8 sleep_type_a, sleep_type_b;
static bool have_s5, reduced_hardware;
static struct { u8 space; paddr_t address; u8 value; } reset;

static bool sums_to_zero(const u8 *p, u64 n) {
    u8 sum = 0;
    while (n--)
        sum = (u8)(sum + *p++);
    return sum == 0;
}

/* Tables lie in memory that the direct map may not reach: they are mapped like a device. */
static const struct header *table_at(paddr_t at) {
    const struct header *h = at ? map_device(at, sizeof *h, false) : NULL;
    if (!h || h->length < sizeof *h || h->length > 4 << 20)
        return NULL;
    u32 length = h->length;
    unmap_device((void *)(uintptr_t)h, sizeof *h);
    h = map_device(at, length, false);
    return h && sums_to_zero((const u8 *)h, length) ? h : NULL;
}

static u32 get32(const u8 *p) { u32 v; memcpy(&v, p, 4); return v; }
static u64 get64(const u8 *p) { u64 v; memcpy(&v, p, 8); return v; }
static u16 get16(const u8 *p) { u16 v; memcpy(&v, p, 2); return v; }

static void read_madt(const struct header *h) {
    const u8 *p = (const u8 *)h + 44, *end = (const u8 *)h + h->length;
    unsigned found = 0;
    for (; p + 2 <= end && p[1] >= 2 && p + p[1] <= end; p += p[1]) {
        if (p[0] == 1 && p[1] >= 12 && found < IOAPICS) {
            ioapics[found++] = (struct acpi_ioapic){get32(p + 4), get32(p + 8)};
            ioapic_count = found;
        } else if (p[0] == 2 && p[1] >= 10 && p[3] < 16) {
            u16 flags = get16(p + 8);
            routes[p[3]] = (struct acpi_irq_route){get32(p + 4), (flags & 3) == 3, (flags >> 2 & 3) == 3};
        }
    }
}

static void read_s5(const struct header *dsdt) {
    const u8 *p = (const u8 *)(dsdt + 1), *end = (const u8 *)dsdt + dsdt->length;
    while (p + 8 <= end && memcmp(p, "_S5_\x12", 5))
        p++;
    if (p + 8 > end)
        return;
    p += 5;
    p += (*p >> 6) + 2;                         /* PkgLength and NumElements */
    u8 value[2] = {0, 0};
    for (int i = 0; i < 2 && p + 2 <= end; i++) {
        if (*p == 0x0a)                         /* BytePrefix */
            p++;
        value[i] = *p++;
    }
    sleep_type_a = value[0];
    sleep_type_b = value[1];
    have_s5 = true;
}

static void read_fadt(const struct header *h) {
    const u8 *f = (const u8 *)h;
    if (h->length < 89)
        return;
    system_irq = get16(f + 46);
    smi_command = (u16)get32(f + 48);
    acpi_enable = f[52];
    pm1a_status = (u16)get32(f + 56);
    pm1a_enable = (u16)(pm1a_status + f[88] / 2);
    pm1a_control = (u16)get32(f + 64);
    pm1b_control = (u16)get32(f + 68);
    if (h->length >= 256 && get32(f + 112) & 1 << 20) {
        reduced_hardware = true;
        u64 at = get64(f + 248);
        if (f[244] == 0 && at)
            sleep_control = map_device(at, 1, false);
        else if (f[244] == 1)
            sleep_control_port = (u16)at;
    }
    u64 dsdt = get32(f + 40);
    if (h->length >= 148 && get64(f + 140))
        dsdt = get64(f + 140);
    if (h->length >= 129 && get32(f + 112) & 1 << 10) {
        reset.space = f[116];
        reset.address = get64(f + 120);
        reset.value = f[128];
    }
    const struct header *d = table_at(dsdt);
    if (d)
        read_s5(d);
}

static bool find_rsdp(void) {
    if (boot_info.has_rsdp)
        return true;
    /* 5.2.5.1: the first KiB of the EBDA, then 0xe0000 to 0xfffff, on 16-byte boundaries. */
    u64 ebda = (u64)*(const u16 *)phys_to_virt(0x40e) << 4;
    const struct { u64 from, to; } places[] = {{ebda, ebda + 1024}, {0xe0000, 0x100000}};
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        if (places[i].from < 0x80000)
            continue;
        const u8 *base = map_device(places[i].from, places[i].to - places[i].from, false);
        for (u64 o = 0; base && o + 36 <= places[i].to - places[i].from; o += 16)
            if (!memcmp(base + o, "RSD PTR ", 8) && sums_to_zero(base + o, 20)) {
                memcpy(boot_info.rsdp, base + o, 36);
                return boot_info.has_rsdp = true;
            }
    }
    return false;
}

void acpi_init(void) {
    /* Without tables that say otherwise the timer has the input of the second 8259, which has no other use
     * (MultiProcessor Specification 1.4, 5.3.1). */
    for (unsigned i = 0; i < 16; i++)
        routes[i] = (struct acpi_irq_route){i ? i : 2, false, false};
    if (!find_rsdp()) {
        log_info("acpi: no tables");
        return;
    }
    bool extended = boot_info.rsdp[15] >= 2 && get64(boot_info.rsdp + 24);
    const struct header *root = table_at(extended ? get64(boot_info.rsdp + 24) : get32(boot_info.rsdp + 16));
    if (!root)
        return;
    unsigned width = extended ? 8 : 4;
    for (const u8 *p = (const u8 *)(root + 1); p + width <= (const u8 *)root + root->length; p += width) {
        const struct header *h = table_at(extended ? get64(p) : get32(p));
        if (h && !memcmp(h->signature, "APIC", 4))
            read_madt(h);
        else if (h && !memcmp(h->signature, "FACP", 4))
            read_fadt(h);
    }
    log_info("acpi: %u I/O APIC, the first at %lx, PM1a control %x, S5 %s (type %u)", ioapic_count, ioapics[0].address, pm1a_control, have_s5 ? "known" : "unknown", sleep_type_a);
}

const struct acpi_ioapic *acpi_ioapic(unsigned number) { return number < ioapic_count ? &ioapics[number] : NULL; }
struct acpi_irq_route acpi_isa_irq(unsigned irq) { return irq < 16 ? routes[irq] : (struct acpi_irq_route){irq, false, false}; }

bool acpi_without_power_off(void) { return reduced_hardware && !sleep_control && !sleep_control_port; }

void acpi_power_off(void) {
    if (!have_s5)
        return;
    u8 reduced = (u8)(1 << 5 | sleep_type_a << 2);
    if (sleep_control)
        *sleep_control = reduced;
    if (sleep_control_port)
        out8(sleep_control_port, reduced);
    if (pm1a_control)
        out16(pm1a_control, (u16)(1 << 13 | sleep_type_a << 10));
    if (pm1b_control)
        out16(pm1b_control, (u16)(1 << 13 | sleep_type_b << 10));
}

/* The fixed hardware power button (4.8.3.1): its bit in the PM1 status and enable registers, both of which are
 * the machine's once ACPI is enabled (4.8.2.5). */
enum { PM1_POWER_BUTTON = 1 << 8, PM1_SCI_ENABLED = 1 };

static void system_control_interrupt(unsigned irq) {
    u16 status = in16(pm1a_status);
    out16(pm1a_status, status);                 /* writing ones clears */
    if (status & PM1_POWER_BUTTON)
        services_power_button();
}

void acpi_power_button_init(void) {
    if (!pm1a_status || !pm1a_control)
        return;
    if (!(in16(pm1a_control) & PM1_SCI_ENABLED) && smi_command && acpi_enable)
        out8(smi_command, acpi_enable);
    out16(pm1a_status, 0xffff);
    out16(pm1a_enable, PM1_POWER_BUTTON);
    if (!irq_install(system_irq, system_control_interrupt))
        log_warning("acpi: no line for interrupt %u, no power button", system_irq);
}

void acpi_reset(void) {
    if (reset.space == 1 && reset.address)
        out8((u16)reset.address, reset.value);
}
