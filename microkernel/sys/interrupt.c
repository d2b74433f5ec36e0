/* Interrupts that tasks wait for: counted here, and the line kept quiet until the driver has seen to its
 * device if the line is level-triggered. */
#include "arch/x86_64/apic.h"
#include "core/clock.h"
#include "core/errno.h"
#include "mm/user.h"
#include "sys/request.h"

static struct line {
    bool bound;
    u32 count;
    u64 first;                                  /* time of the first of them */
} lines[IRQ_LINES];
static u64 pending[(IRQ_LINES + 63) / 64];      /* a bit for each line */

static void arrived(unsigned irq) {
    struct line *l = &lines[irq];
    if (!l->count++)
        l->first = clock_now();
    irq_hold(irq);
    pending[irq / 64] |= 1ull << irq % 64;
    services_wake();
}

bool interrupt_pending(void) {
    u64 any = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(pending); i++)
        any |= pending[i];
    return any != 0;
}

bool interrupt_take(struct service_event *e) {
    unsigned i = 0;
    while (i < ARRAY_SIZE(pending) && !pending[i])
        i++;
    if (i == ARRAY_SIZE(pending))
        return false;
    unsigned irq = i * 64 + (unsigned)__builtin_ctzll(pending[i]);
    struct line *l = &lines[irq];
    pending[i] &= pending[i] - 1;
    e->a = irq;
    e->b = l->count;
    e->c = l->first;
    l->count = 0;
    return true;
}

i64 interrupt_bind(u64 irq) {
    if (irq >= IRQ_MESSAGES)
        return -EINVAL;
    if (!irq_install((unsigned)irq, arrived))
        return -EBUSY;
    lines[irq] = (struct line){.bound = true};
    return 0;
}

i64 interrupt_bind_message(u64 to) {
    unsigned irq = IRQ_MESSAGES;
    while (irq < IRQ_LINES && !irq_install(irq, arrived))
        irq++;
    if (irq == IRQ_LINES)
        return -ENOSPC;
    u64 message[] = {irq_message_address(), irq_message_data(irq)};
    if (copy_to_user(to, message, sizeof message)) {
        irq_remove(irq);
        return -EFAULT;
    }
    lines[irq] = (struct line){.bound = true};
    return irq;
}

i64 interrupt_acknowledge(u64 irq) {
    if (irq >= IRQ_LINES || !lines[irq].bound)
        return -EINVAL;
    irq_release((unsigned)irq);
    return 0;
}

i64 interrupt_unbind(u64 irq) {
    if (irq >= IRQ_LINES || !lines[irq].bound)
        return -EINVAL;
    irq_remove((unsigned)irq);
    lines[irq].bound = false;
    pending[irq / 64] &= ~(1ull << irq % 64);
    return 0;
}
