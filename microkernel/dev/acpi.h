/* The little of ACPI that must work before and after Python: interrupt routing and power-off. */
#pragma once

#include "core/types.h"

/* Reads RSDP, RSDT/XSDT, MADT, FADT and _S5_; without tables the PC's defaults hold. */
void acpi_init(void);
/* The I/O APICs, by number: where its registers are, and the number of its first line. Without tables one,
 * where the PC has it. */
#define IOAPICS 4
struct acpi_ioapic {
    paddr_t address;
    u32 first;
};
const struct acpi_ioapic *acpi_ioapic(unsigned number);

struct acpi_irq_route {
    u32 gsi;
    bool active_low, level;
};
struct acpi_irq_route acpi_isa_irq(unsigned irq);
/* Asks for S5 if the tables say how: it comes a moment later. */
void acpi_power_off(void);
/* Is this a machine whose tables leave no way to power it off, by being of reduced hardware without the register
 * for that (4.8.3.7)? Firecracker is one. */
bool acpi_without_power_off(void);
/* Has the power button told to the services thread. After apic_init. */
void acpi_power_button_init(void);
/* Writes the FADT's reset register; returns if there is none. */
void acpi_reset(void);
