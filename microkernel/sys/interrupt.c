/* Interrupts that tasks wait for: counted here, and the line kept quiet until the driver has seen to its
 * device if the line is level-triggered. */
#include "arch/x86_64/apic.h"
#include "core/clock.h"
#include "core/errno.h"
#include "sys/request.h"

static struct line {
    bool bound;
    u32 count;
    u64 first;                                  /* time of the first of them */
} lines[IRQ_LINES];
static u32 pending;                             /* a bit for each line */
_Static_assert(IRQ_LINES <= 32, "one word of bits");

static void arrived(unsigned irq) {
    struct line *l = &lines[irq];
    if (!l->count++)
        l->first = clock_now();
    irq_hold(irq);
    pending |= 1u << irq;
    services_wake();
}

bool interrupt_pending(void) { return pending != 0; }

bool interrupt_take(struct service_event *e) {
    if (!pending)
        return false;
    unsigned irq = (unsigned)__builtin_ctz(pending);
    struct line *l = &lines[irq];
    pending &= ~(1u << irq);
    e->a = irq;
    e->b = l->count;
    e->c = l->first;
    l->count = 0;
    return true;
}

i64 interrupt_bind(u64 irq) {
    if (irq >= IRQ_LINES)
        return -EINVAL;
    if (!irq_install((unsigned)irq, arrived))
        return -EBUSY;
    lines[irq] = (struct line){.bound = true};
    return 0;
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
    pending &= ~(1u << irq);
    return 0;
}
