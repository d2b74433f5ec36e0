#include "sys/signal.h"

#include "core/errno.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"
#include "core/thread.h"
#include "dev/console.h"
#include "mm/kmalloc.h"

struct sigaction signal_actions[SIGNALS + 1];
u64 process_pending;
static struct siginfo *process_info[SIGNALS + 1];
static u64 ever_handled;                        /* signals a handler has been called for */

void thread_signals_init(struct thread_signals *s) {
    memset(s, 0, sizeof *s);
    s->altstack.flags = 2;                      /* SS_DISABLE */
}

/* Signals to the program are the main thread's (CPython acts on them there), but for those it blocks. */
static u64 process_part(const struct thread *t) {
    return t == main_thread || !main_thread ? process_pending : process_pending & main_thread->signals.blocked;
}

bool signals_deliverable(const struct thread *t) {
    return ((t->signals.pending | process_part(t)) & ~t->signals.blocked) != 0;
}

/* Ignored by default: SIGCHLD, SIGCONT, SIGURG, SIGWINCH; stopping makes no sense without a shell. */
static bool ignored_by_default(int signal) {
    return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH || signal == SIGSTOP ||
           signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

bool signal_ignored(int signal) {
    u64 h = signal_actions[signal].handler;
    return h == SIG_IGN || (h == SIG_DFL && ignored_by_default(signal));
}

static void queue(u64 *pending, struct siginfo **slots, const struct siginfo *info) {
    *pending |= signal_bit(info->signo);
    /* Details are kept for the first of each number; without memory the signal itself still counts. */
    if (!slots[info->signo] && (slots[info->signo] = kmalloc(sizeof *info)))
        *slots[info->signo] = *info;
}

/* An ignored signal is dropped at once, unless someone blocks it and may yet ask for it. */
static bool worth_it(const struct thread *t, int signal) {
    return !signal_ignored(signal) || (t ? t->signals.blocked : main_thread->signals.blocked) & signal_bit(signal);
}

void signal_thread_info(struct thread *t, const struct siginfo *info) {
    if (!worth_it(t, info->signo))
        return;
    queue(&t->signals.pending, t->signals.info, info);
    if (signals_deliverable(t))
        thread_interrupt(t);
}

void signal_process_info(const struct siginfo *info) {
    bool wanted = false;
    list_for(l, &all_threads)
        wanted |= worth_it(list_item(l, struct thread, all_link), info->signo);
    if (!wanted)
        return;
    queue(&process_pending, process_info, info);
    /* In sigwait a thread has the signals it waits for unblocked: it counts, too. */
    struct thread *taker = main_thread && !(main_thread->signals.blocked & signal_bit(info->signo)) ? main_thread : NULL;
    if (!taker)
        list_for(l, &all_threads) {
            struct thread *t = list_item(l, struct thread, all_link);
            if (!(t->signals.blocked & signal_bit(info->signo))) {
                taker = t;
                break;
            }
        }
    if (taker)
        thread_interrupt(taker);
}

void signal_thread(struct thread *t, int signal) {
    signal_thread_info(t, &(struct siginfo){.signo = signal, .code = SI_KERNEL});
}

void signal_process(int signal) {
    if (signal >= 1 && signal <= SIGNALS)
        signal_process_info(&(struct siginfo){.signo = signal, .code = SI_KERNEL});
}

static void take_info(struct siginfo **slot, int signal, struct siginfo *info) {
    if (*slot) {
        *info = **slot;
        kfree(*slot);
        *slot = NULL;
    } else {
        *info = (struct siginfo){.signo = signal, .code = SI_USER, .pid = 1};
    }
}

int signal_take(struct thread *t, u64 set, struct siginfo *info) {
    /* Faults first, then by number (as Linux does). */
    const u64 faults = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGFPE) | signal_bit(SIGTRAP);
    /* Who waits for a signal (its set is blocked otherwise) may take any; delivery goes by process_part. */
    u64 shared = set & t->signals.blocked ? process_pending : process_part(t);
    u64 own = t->signals.pending & set, all = own | (shared & set);
    if (!all)
        return 0;
    int signal = __builtin_ctzll(own & faults ? own & faults : all) + 1;
    if (own & signal_bit(signal)) {
        t->signals.pending &= ~signal_bit(signal);
        take_info(&t->signals.info[signal], signal, info);
    } else {
        process_pending &= ~signal_bit(signal);
        take_info(&process_info[signal], signal, info);
    }
    return signal;
}

void signals_drop(struct thread *t) {
    for (int s = 1; s <= SIGNALS; s++)
        kfree(t->signals.info[s]);
}

/* The last hardware fault: handlers such as faulthandler's restore the default action and raise the signal
 * again, and then this is what the user wants to hear of. */
static struct { int signal; u64 address; struct frame frame; } last_fault;

__attribute__((noreturn)) static void die(int signal, struct frame *f, u64 address) {
    if (last_fault.signal == signal) {
        f = &last_fault.frame;
        address = last_fault.address;
    }
    bool is_fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP || signal == SIGABRT;
    if (is_fault)
        report_fatal_signal(signal, f, address, !(ever_handled & signal_bit(signal)));
    log_info("the program was ended by signal %d", signal);
    console_exit((u8)(128 + signal));
}

void signal_fault(int signal, int code, u64 address, struct frame *f) {
    struct thread *t = current_thread();
    struct siginfo info = {.signo = signal, .code = code, .address = address};
    u64 handler = signal_actions[signal].handler;
    last_fault.signal = signal;
    last_fault.address = address;
    last_fault.frame = *f;
    if (handler == SIG_DFL || handler == SIG_IGN || t->signals.blocked & signal_bit(signal))
        die(signal, f, address);
    queue(&t->signals.pending, t->signals.info, &info);
}

/* What a system call that was interrupted does next: -ERESTARTSYS and the like never leave the kernel. */
static void settle_system_call(struct frame *f, const struct sigaction *action) {
    i64 result = (i64)f->rax;
    if ((i64)f->orig_rax < 0 || (result != -ERESTARTSYS && result != -ERESTARTNOHAND))
        return;
    bool again = !action || (result == -ERESTARTSYS && action->flags & SA_RESTART);
    if (again) {
        f->rax = f->orig_rax;
        f->rip -= 2;                            /* the SYSCALL instruction */
    } else {
        f->rax = (u64)-EINTR;
    }
    f->orig_rax = (u64)-1;
}

void signals_before_return(struct frame *f) {
    struct thread *t = current_thread();
    struct siginfo info;
    int signal;
    while ((signal = signal_take(t, ~t->signals.blocked, &info))) {
        struct sigaction action = signal_actions[signal];
        if (signal_ignored(signal))
            continue;
        if (action.handler == SIG_DFL)
            die(signal, f, 0);
        settle_system_call(f, &action);
        ever_handled |= signal_bit(signal);
        u64 old_mask = t->signals.restore ? t->signals.restore_mask : t->signals.blocked;
        t->signals.restore = false;
        if (!sigframe_push(f, t, &action, &info, old_mask))
            die(SIGSEGV, f, info.address);
        t->signals.blocked |= action.mask | (action.flags & SA_NODEFER ? 0 : signal_bit(signal));
        t->signals.blocked &= ~SIGNALS_UNBLOCKABLE;
        if (action.flags & SA_RESETHAND)
            signal_actions[signal].handler = SIG_DFL;
    }
    settle_system_call(f, NULL);
    if (t->signals.restore) {
        t->signals.restore = false;
        t->signals.blocked = t->signals.restore_mask;
    }
}
