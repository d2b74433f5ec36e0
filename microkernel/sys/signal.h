/* Signals: what is pending, blocked and handled; delivery on the way back to the program. */
#pragma once

#include "arch/x86_64/cpu.h"
#include "core/list.h"

enum {
    SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9,
    SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15, SIGCHLD = 17, SIGCONT = 18,
    SIGSTOP = 19, SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22, SIGURG = 23, SIGVTALRM = 26, SIGPROF = 27, SIGWINCH = 28,
    SIGRTMIN = 32, SIGNALS = 64,
};

/* si_code values. */
enum {
    SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2, ILL_ILLOPN = 2, FPE_INTDIV = 1, FPE_FLTDIV = 3,
    FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV,
    TRAP_TRACE = 2, SI_USER = 0, SI_KERNEL = 0x80, SI_TKILL = -6, SI_QUEUE = -1, SI_TIMER = -2,
};

/* siginfo_t, 128 bytes: the members that are ever set. */
struct siginfo {
    i32 signo, error, code, pad;
    union {
        struct { i32 pid; u32 uid; u64 value; };
        u64 address;
        u8 fill[112];
    };
};
_Static_assert(sizeof(struct siginfo) == 128, "Linux ABI");

struct sigaltstack { u64 sp; i32 flags; u32 pad; u64 size; };
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM (1u << 31)
static inline bool on_altstack(const struct sigaltstack *a, u64 sp) {
    return !(a->flags & SS_DISABLE) && sp > a->sp && sp - a->sp <= a->size;
}

struct thread;

/* In every thread. */
struct thread_signals {
    u64 blocked, pending;
    struct list queue;                          /* what is known of the pending ones, in order of arrival */
    struct sigaltstack altstack;
    u64 restore_mask;                           /* by sigsuspend, ppoll, …: put back after delivery */
    bool restore;
};

void thread_signals_init(struct thread_signals *s);
/* Is there a signal this thread would act on now? */
bool signals_deliverable(const struct thread *t);
/* Called on every way back to the program with the full frame: delivers at most what it must. */
void signals_before_return(struct frame *f);

/* Raise a signal for one thread, or for the program as a whole. Any context. */
void signal_thread(struct thread *t, int signal);
void signal_process(int signal);
void signal_thread_info(struct thread *t, const struct siginfo *info);
void signal_process_info(const struct siginfo *info);
/* A fault of the running thread: delivered at once even if blocked (then it is fatal, as on Linux). */
void signal_fault(int signal, int code, u64 address, struct frame *f);

/* sys/signal_calls.c */
void signals_drop(struct thread *t);            /* at thread exit */
/* Temporarily replaces the mask (sigsuspend, ppoll, epoll_pwait): NULL-safe user pointer; 0 or errno. */
i64 signals_set_temporary_mask(u64 user_mask, u64 size);
/* At the end of a call: back to the former mask, if nothing is to be delivered under the temporary one. */
void signals_end_temporary_mask(i64 result);

struct sigaction { u64 handler, flags, restorer, mask; };
enum { SIG_DFL = 0, SIG_IGN = 1 };
#define SA_SIGINFO 4ull
#define SA_ONSTACK 0x08000000ull
#define SA_RESTART 0x10000000ull
#define SA_NODEFER 0x40000000ull
#define SA_RESETHAND 0x80000000ull
#define SA_RESTORER 0x04000000ull
extern struct sigaction signal_actions[SIGNALS + 1];
extern u64 process_pending;
extern u32 signals_queued;
#define SIGNALS_QUEUED_LIMIT 4096               /* RLIMIT_SIGPENDING: sigqueue fails from here on */
/* Forgets pending signals that are ignored from now on (POSIX, sigaction). */
void signal_discard(int signal);
static inline u64 signal_bit(int signal) { return 1ull << (signal - 1); }
/* Takes one pending signal of the set away and describes it; 0 if none. */
int signal_take(struct thread *t, u64 set, struct siginfo *info);
bool signal_ignored(int signal);
#define SIGNALS_UNBLOCKABLE (1ull << (9 - 1) | 1ull << (19 - 1))

/* Signal frames (arch/x86_64/sigframe.c): false if the stack is no good. */
bool sigframe_push(struct frame *f, struct thread *t, const struct sigaction *action, const struct siginfo *info, u64 old_mask);
/* rt_sigreturn: false if the frame is no good. */
bool sigframe_pop(struct frame *f, struct thread *t);
u64 sigframe_size(void);
