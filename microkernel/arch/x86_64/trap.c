/* Exceptions and interrupts, from the program and from the kernel itself. */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/thread.h"
#include "mm/vm.h"
#include "sys/request.h"
#include "sys/signal.h"

void trap_from_program(struct frame *f);
void trap_from_kernel(struct frame *f);

enum {
    VECTOR_DIVIDE = 0, VECTOR_DEBUG = 1, VECTOR_NMI = 2, VECTOR_BREAKPOINT = 3, VECTOR_INVALID_OPCODE = 6,
    VECTOR_DOUBLE_FAULT = 8, VECTOR_STACK = 12, VECTOR_PROTECTION = 13, VECTOR_PAGE_FAULT = 14, VECTOR_X87 = 16,
    VECTOR_ALIGNMENT = 17, VECTOR_SIMD = 19,
};
/* Page fault error code (SDM 3A, 4.7). */
enum { PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };

struct extable_entry { u64 from, to; };
extern const struct extable_entry exception_table[], exception_table_end[];
extern const u8 syscall_exit_window[], syscall_exit_window_end[];

static const char *const names[] = {
    "divide error", "debug", "NMI", "breakpoint", "overflow", "bound", "invalid opcode", "no FPU", "double fault", "",
    "invalid TSS", "segment not present", "stack fault", "general protection", "page fault", "", "x87 error",
    "alignment check", "machine check", "SIMD error",
};

static enum fault_access access_of(u64 error) {
    return error & PF_FETCH ? FAULT_EXEC : error & PF_WRITE ? FAULT_WRITE : FAULT_READ;
}

/* What exceptions are to the program that causes them; floating_point_code says more of some. INT3 is not
 * TRAP_BRKPT on x86. */
static const struct { u8 signal; i16 code; } program_faults[VECTOR_IRQ_BASE] = {
    [VECTOR_DIVIDE] = {SIGFPE, FPE_INTDIV},         [VECTOR_X87] = {SIGFPE, 0},                [VECTOR_SIMD] = {SIGFPE, 0},
    [VECTOR_INVALID_OPCODE] = {SIGILL, ILL_ILLOPN}, [VECTOR_DEBUG] = {SIGTRAP, TRAP_TRACE},    [VECTOR_BREAKPOINT] = {SIGTRAP, SI_KERNEL},
    [VECTOR_PROTECTION] = {SIGSEGV, SI_KERNEL},     [VECTOR_STACK] = {SIGSEGV, SI_KERNEL},     [VECTOR_ALIGNMENT] = {SIGBUS, BUS_ADRALN},
};

__attribute__((noreturn)) static void unexpected(const struct frame *f, const char *where) {
    panic_at(f, "%s (vector %lu, error %lx)%s", f->vector < ARRAY_SIZE(names) ? names[f->vector] : "exception", f->vector, f->error, where);
}

/* Which floating point exception it was: status and control words have the same bits, MXCSR has its masks
 * seven bits up (SDM 1, 8.1.3 and 10.2.3). */
static int floating_point_code(bool x87) {
    u16 status, control;
    u32 mxcsr;
    __asm__ volatile("fnstsw %0; fnstcw %1; stmxcsr %2" : "=m"(status), "=m"(control), "=m"(mxcsr));
    u32 raised = x87 ? status & ~(u32)control : mxcsr & ~(mxcsr >> 7);
    return raised & 1 ? FPE_FLTINV : raised & 4 ? FPE_FLTDIV : raised & 8 ? FPE_FLTOVF : raised & 0x12 ? FPE_FLTUND : FPE_FLTRES;
}

static void exception_from_program(struct frame *f) {
    u64 address = read_cr2();
    int code = program_faults[f->vector].code, signal = program_faults[f->vector].signal;
    if (f->vector == VECTOR_PAGE_FAULT) {
        f->error |= PF_USER;                    /* as handlers know it */
        signal = vm_fault(address, access_of(f->error), &code);
        /* A caller's buffer may lie in a mapped file that others cut: no reason for services to die. */
        if (signal == SIGBUS && current_thread() == services_thread && requests_have(address, 1) && vm_fill_hole(ALIGN_DOWN(address, PAGE_SIZE)))
            return;
        if (signal)
            signal_fault(signal, code, address, f);
    } else if (f->vector == VECTOR_NMI) {
        log_warning("NMI");
    } else if (signal) {
        if (f->vector == VECTOR_DEBUG)
            f->rflags &= ~(u64)RFLAGS_TF;
        else if (f->vector == VECTOR_X87 || f->vector == VECTOR_SIMD)
            code = floating_point_code(f->vector == VECTOR_X87);
        signal_fault(signal, code, signal == SIGSEGV || signal == SIGBUS || code == SI_KERNEL ? 0 : f->rip, f);
    } else {
        unexpected(f, " in the program");
    }
}

static void interrupt(u64 vector) {
    if (vector == VECTOR_TIMER) {
        clock_timer_fired();
        apic_end_of_interrupt();
        scheduler_timer_interrupt();
    } else if (vector != VECTOR_SPURIOUS) {
        irq_dispatch((unsigned)vector);
    }
}

/* QEMU up to 7.2 at least leaves garbage in the flags after CMPXCHG8B and CMPXCHG16B until the next
 * instruction that sets them: an interrupt in between pushes it, and the return would single-step, copy
 * backwards or check alignment from then on. Only ZF is right, and only ZF does the instruction define. */
static void mend_flags(struct frame *f) {
    if (cpu_features.tcg)
        f->rflags &= ~(u64)(RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | 3 << 12);
}

/* On the thread's kernel stack, interrupts off: may block. */
void trap_from_program(struct frame *f) {
    struct cpu *cpu = this_cpu();
    if (f->vector != VECTOR_DEBUG)              /* that one is about a flag */
        mend_flags(f);
    if (f->vector < VECTOR_IRQ_BASE)
        exception_from_program(f);
    else
        interrupt(f->vector);
    if (cpu->need_resched)
        schedule();
    if (signals_deliverable(current_thread()))
        signals_before_return(f);
}

static bool fixed_up(struct frame *f) {
    for (const struct extable_entry *e = exception_table; e < exception_table_end; e++)
        if (e->from == f->rip) {
            f->rip = e->to;
            return true;
        }
    return false;
}

/* On an interrupt stack: must not block. */
void trap_from_kernel(struct frame *f) {
    if (f->vector >= VECTOR_IRQ_BASE) {
        interrupt(f->vector);
        /* Between the last look at need_resched and the program's next instruction: look again soon. */
        if (f->rip >= (u64)syscall_exit_window && f->rip < (u64)syscall_exit_window_end && this_cpu()->need_resched)
            clock_program(clock_now());
        return;
    }
    if (f->vector == VECTOR_PAGE_FAULT) {
        u64 address = read_cr2();
        int code;
        if (address < USER_END && !vm_fault(address, access_of(f->error), &code))
            return;
        if (fixed_up(f))
            return;
        panic_at(f, "page fault at %lx (%s)", address, f->error & PF_FETCH ? "execute" : f->error & PF_WRITE ? "write" : "read");
    }
    if (f->vector == VECTOR_PROTECTION && fixed_up(f))
        return;
    if (f->vector == VECTOR_NMI) {
        log_warning("NMI");
        return;
    }
    unexpected(f, "");
}
