/* The little of ACPI that must work before and after Python: interrupt routing and power-off. */
#pragma once

#include "core/types.h"

/* Reads RSDP, RSDT/XSDT, MADT, FADT and _S5_; without tables the PC's defaults hold. */
void acpi_init(void);
paddr_t acpi_ioapic_address(void);

struct acpi_irq_route {
    u32 gsi;
    bool active_low, level;
};
struct acpi_irq_route acpi_isa_irq(unsigned irq);
/* Asks for S5 if the tables say how: it comes a moment later. */
void acpi_power_off(void);
/* Has the power button told to the services thread. After apic_init. */
void acpi_power_button_init(void);
/* Writes the FADT's reset register; returns if there is none. */
void acpi_reset(void);
