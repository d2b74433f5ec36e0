/* Interrupt controllers: the local APIC (timer, end of interrupt) and the I/O APIC (lines of devices).
 * The old 8259 pair is masked for good. */
#pragma once

#include "core/types.h"

void apic_init(void);
void apic_end_of_interrupt(void);
/* One-shot timer: an interrupt VECTOR_TIMER after `ticks` of its own rate; 0 stops it. */
void apic_timer_start(u32 ticks);
u32 apic_timer_remaining(void);

/* Routes ISA interrupt `irq` (edge-triggered) to a handler, and unmasks it. */
void irq_install(unsigned irq, void (*handler)(void));
/* Called by the trap code for vectors from VECTOR_IRQ_BASE on. */
void irq_dispatch(unsigned vector);
