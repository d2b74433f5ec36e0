/* Interrupt controllers: the local APIC (timer, end of interrupt) and I/O APICs (lines of devices).
 * The old 8259 pair is masked for good. */
#pragma once

#include "arch/x86_64/layout.h"
#include "core/types.h"

void apic_init(void);
void apic_end_of_interrupt(void);
/* One-shot timer: an interrupt VECTOR_TIMER after `ticks` of its own rate; 0 stops it. */
void apic_timer_start(u32 ticks);
u32 apic_timer_remaining(void);

/* Interrupt requests by number: below 16 ISA's, as ACPI routes them; from there on the I/O APICs' own lines as
 * PCI uses them (level-triggered, active low); from IRQ_MESSAGES on message-signalled ones. */
#define IRQ_MESSAGES 64
#define IRQ_LINES (VECTOR_TIMER - VECTOR_IRQ_BASE)
/* How often each has come. */
extern u64 irq_counts[IRQ_LINES];
/* What a device writes, and where, to raise a message-signalled one (Intel SDM 3A, 11.11). */
u64 irq_message_address(void);
u32 irq_message_data(unsigned irq);
/* Routes a request to a handler and unmasks it; false if the machine has no such line or it has a handler. */
bool irq_install(unsigned irq, void (*handler)(unsigned irq));
void irq_remove(unsigned irq);
/* A level-triggered line that has asked for attention is kept quiet until it is released. */
void irq_hold(unsigned irq);
void irq_release(unsigned irq);
/* Called by the trap code for vectors from VECTOR_IRQ_BASE on. */
void irq_dispatch(unsigned vector);
