/* Threads of the one program, and who runs when. */
#pragma once

#include "arch/x86_64/cpu.h"
#include "core/list.h"
#include "core/timer.h"
#include "core/wait.h"
#include "sys/signal.h"

enum thread_state { THREAD_RUNNING, THREAD_READY, THREAD_BLOCKED, THREAD_DEAD };

enum thread_priority { PRIORITY_SERVICES, PRIORITY_NORMAL, PRIORITY_COUNT };

struct path;

struct thread {
    u64 kernel_rsp;                             /* while switched out */
    u64 kstack_top;
    enum thread_state state;
    u8 priority;
    u8 policy, policy_priority;                 /* as sched_setscheduler was told */
    bool wake_pending;                          /* woken before it blocked */
    int tid;
    char name[16];                              /* PR_SET_NAME */
    struct list run_link, all_link;
    u64 slice_left, slice_start;                /* nanoseconds */
    u64 cpu_ns;                                 /* used so far, up to slice_start */
    u64 fs_base;
    void *fpu;
    u64 clear_child_tid;                        /* user address of the word to clear at exit; 0 if none */
    struct timer wait_timer;
    int wait_result;
    bool uninterruptible;                       /* no signal ends its waiting */
    bool give_up_gil;                           /* its call is to be made without the interpreter's lock (sys/request.c) */
    struct path *redirections[2];               /* what a call that is made again goes on with (sys/request.c) */
    struct thread_signals signals;
};

/* The program is the one process there is; its first thread has the same number. */
#define PROCESS_ID 1

extern struct list all_threads;
extern u32 thread_count;
extern struct thread *main_thread;

static inline struct thread *current_thread(void) { return this_cpu()->current; }
/* The registers the thread entered the kernel with. */
static inline struct frame *thread_frame(const struct thread *t) {
    return (struct frame *)(t->kstack_top - sizeof(struct frame));
}

/* A thread that starts with the given registers; not yet running. NULL without memory. */
struct thread *thread_create(const struct frame *registers, u64 fs_base);
void thread_ready(struct thread *t);
/* From a blocked state; harmless otherwise. */
void thread_wake(struct thread *t);
/* Makes a thread that sleeps interruptibly look at its signals. */
void thread_interrupt(struct thread *t);
__attribute__((noreturn)) void thread_exit(void);
struct thread *thread_find(int tid);
void thread_set_priority(struct thread *t, enum thread_priority priority);

/* Gives the processor to who deserves it most; the caller's state says whether it wants it back. */
void schedule(void);
/* To the end of the queue (sched_yield). */
void thread_yield(void);
/* The running thread's CPU time up to now. */
u64 thread_cpu_time(const struct thread *t);
/* Arms the hardware for the next deadline or the end of the slice. */
void scheduler_program_timer(void);
void scheduler_timer_interrupt(void);
/* The first program thread takes over the boot stack's processor. Never returns. */
__attribute__((noreturn)) void scheduler_start(struct thread *first);

/* Inside a long kernel operation: lets interrupts in and others run if they should. */
void preemption_point(void);
