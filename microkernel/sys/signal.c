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
static struct list process_queue = LIST_INIT(process_queue);
static u64 ever_handled;                        /* signals a handler has been called for */

void thread_signals_init(struct thread_signals *s) {
    memset(s, 0, sizeof *s);
    list_init(&s->queue);
    s->altstack.flags = SS_DISABLE;
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

struct queued {
    struct list link;
    struct siginfo info;
};
u32 signals_queued;

/* Real-time signals queue up; of the others one is pending at a time. Without memory a signal still counts,
 * but nothing more is known of it. */
static void enqueue(u64 *pending, struct list *queue, const struct siginfo *info) {
    struct queued *q = info->signo < SIGRTMIN && *pending & signal_bit(info->signo) ? NULL : kmalloc(sizeof *q);
    *pending |= signal_bit(info->signo);
    if (!q)
        return;
    signals_queued++;
    q->info = *info;
    list_append(queue, &q->link);
}

static void dequeue(u64 *pending, struct list *queue, int signal, struct siginfo *info) {
    bool found = false;
    *pending &= ~signal_bit(signal);
    *info = (struct siginfo){.signo = signal, .code = SI_USER, .pid = PROCESS_ID};
    list_for_safe(l, queue) {
        struct queued *q = list_item(l, struct queued, link);
        if (q->info.signo != signal)
            continue;
        if (found) {
            *pending |= signal_bit(signal);
            return;
        }
        found = true;
        *info = q->info;
        list_remove(&q->link);
        kfree(q);
        signals_queued--;
    }
}

static void discard(u64 *pending, struct list *queue, int signal) {
    struct siginfo ignored;
    while (*pending & signal_bit(signal))
        dequeue(pending, queue, signal, &ignored);
}

void signal_discard(int signal) {
    discard(&process_pending, &process_queue, signal);
    list_for(l, &all_threads) {
        struct thread_signals *s = &list_item(l, struct thread, all_link)->signals;
        discard(&s->pending, &s->queue, signal);
    }
}

/* An ignored signal is dropped at once, unless someone blocks it and may yet ask for it. */
static bool worth_it(const struct thread *t, int signal) {
    return !signal_ignored(signal) || (t ? t->signals.blocked : main_thread->signals.blocked) & signal_bit(signal);
}

void signal_thread_info(struct thread *t, const struct siginfo *info) {
    if (!worth_it(t, info->signo))
        return;
    enqueue(&t->signals.pending, &t->signals.queue, info);
    if (signals_deliverable(t))
        thread_interrupt(t);
}

void signal_process_info(const struct siginfo *info) {
    bool wanted = false;
    list_for(l, &all_threads)
        wanted |= worth_it(list_item(l, struct thread, all_link), info->signo);
    if (!wanted)
        return;
    enqueue(&process_pending, &process_queue, info);
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

int signal_take(struct thread *t, u64 set, struct siginfo *info) {
    /* Faults first, then by number (as Linux does). */
    const u64 faults = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGFPE) | signal_bit(SIGTRAP);
    /* Who waits for a signal (its set is blocked otherwise) may take any; delivery goes by process_part. */
    u64 shared = set & t->signals.blocked ? process_pending : process_part(t);
    u64 own = t->signals.pending & set, all = own | (shared & set);
    if (!all)
        return 0;
    int signal = __builtin_ctzll(own & faults ? own & faults : all) + 1;
    bool mine = own & signal_bit(signal);
    dequeue(mine ? &t->signals.pending : &process_pending, mine ? &t->signals.queue : &process_queue, signal, info);
    return signal;
}

void signals_drop(struct thread *t) {
    for (int s = 1; s <= SIGNALS; s++)
        discard(&t->signals.pending, &t->signals.queue, s);
}

/* The last hardware fault: handlers such as faulthandler's restore the default action and raise the signal
 * again, and then this is what the user wants to hear of. */
static struct { int signal; u64 address; struct frame frame; } last_fault;

__attribute__((noreturn)) static void die(int signal, struct frame *f, u64 address) {
    if (last_fault.signal == signal) {
        f = &last_fault.frame;
        address = last_fault.address;
    }
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
    enqueue(&t->signals.pending, &t->signals.queue, &info);
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
