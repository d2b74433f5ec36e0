#include "core/thread.h"

#include "core/clock.h"
#include "core/errno.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"
#include "mm/paging.h"
#include "sys/request.h"

#define SLICE_NS (6 * NS_PER_MS)

struct list all_threads = LIST_INIT(all_threads);
u32 thread_count;
struct thread *main_thread;

static struct list ready[PRIORITY_COUNT] = {LIST_INIT(ready[0]), LIST_INIT(ready[1])};
static struct thread *dead;                     /* exited, its stack still in use until the next switch */
static int next_tid = 1;

void switch_stacks(u64 *save_rsp, u64 load_rsp);
void thread_start(void);
void thread_started(void);
__attribute__((noreturn)) void enter_frame(struct frame *f);

struct thread *thread_find(int tid) {
    list_for(l, &all_threads) {
        struct thread *t = list_item(l, struct thread, all_link);
        if (t->tid == tid)
            return t;
    }
    return NULL;
}

static int new_tid(void) {
    do {
        if (next_tid > 4 * 1024 * 1024)
            next_tid = 2;
    } while (thread_find(next_tid++));
    return next_tid - 1;
}

static void wait_timeout(struct timer *timer) {
    struct thread *t = container_of(timer, struct thread, wait_timer);
    if (t->state == THREAD_BLOCKED) {
        t->wait_result = -ETIMEDOUT;
        thread_ready(t);
    }
}

struct thread *thread_create(const struct frame *registers, u64 fs_base) {
    struct thread *t = kzalloc(sizeof *t);
    void *fpu = kmalloc(cpu_features.fpu_size + 64);
    u64 stack = kernel_stack_alloc();
    if (!t || !fpu || !stack) {
        kfree(t);
        kfree(fpu);
        if (stack)
            kernel_stack_free(stack);
        return NULL;
    }
    fpu_init_context(fpu);
    t->fpu = fpu;
    t->kstack_top = stack;
    t->fs_base = fs_base;
    t->priority = PRIORITY_NORMAL;
    t->state = THREAD_BLOCKED;
    t->slice_left = SLICE_NS;
    t->tid = new_tid();
    t->wait_timer.fire = wait_timeout;
    thread_signals_init(&t->signals);
    list_init(&t->run_link);
    list_append(&all_threads, &t->all_link);
    thread_count++;
    /* Below its frame, what switch_stacks pops: six registers and the return address. */
    struct frame *f = thread_frame(t);
    *f = *registers;
    u64 *sp = (u64 *)f;
    *--sp = (u64)thread_start;
    for (int i = 0; i < 6; i++)
        *--sp = 0;
    t->kernel_rsp = (u64)sp;
    return t;
}

static void thread_destroy(struct thread *t) {
    kernel_stack_free(t->kstack_top);
    kfree(t->fpu);
    kfree(t);
}

static void account(struct thread *t, u64 now) {
    u64 ran = now - t->slice_start;
    t->cpu_ns += ran;
    t->slice_left -= min_u64(ran, t->slice_left);
    t->slice_start = now;
}

u64 thread_cpu_time(const struct thread *t) {
    return t->cpu_ns + (t->state == THREAD_RUNNING ? clock_now() - t->slice_start : 0);
}

/* Those with time left in their slice go before those that used it up: a thread that mostly sleeps runs
 * as soon as it wakes, but only for as long as its share lasts. */
void thread_ready(struct thread *t) {
    struct cpu *cpu = this_cpu();
    t->state = THREAD_READY;
    struct list *queue = &ready[t->priority];
    bool fresh = t->slice_left > 0;
    if (!fresh) {
        t->slice_left = SLICE_NS;
        list_append(queue, &t->run_link);
    } else {
        list_prepend(queue, &t->run_link);
    }
    struct thread *running = cpu->current;
    if (!running || running->state != THREAD_RUNNING)
        return;
    if (t->priority < running->priority || (t->priority == running->priority && fresh))
        cpu->need_resched = true;
    else
        scheduler_program_timer();              /* there is someone to end the slice for now */
}

void thread_set_priority(struct thread *t, enum thread_priority priority) {
    t->priority = (u8)priority;
    if (t->state == THREAD_READY) {
        list_remove(&t->run_link);
        thread_ready(t);
    }
    this_cpu()->need_resched = true;            /* the running one may no longer be the best */
}

void thread_wake(struct thread *t) {
    if (t->state == THREAD_BLOCKED) {
        t->wait_result = 0;
        thread_ready(t);
    } else {
        t->wake_pending = true;
    }
}

void thread_interrupt(struct thread *t) {
    if (t->state == THREAD_BLOCKED && !t->uninterruptible) {
        t->wait_result = -ERESTARTSYS;
        thread_ready(t);
    } else if (t == this_cpu()->current) {
        this_cpu()->need_resched = true;        /* has it look at its signals on the way out */
    }
}

void waitqueue_wake(struct waitqueue *q, u32 events) {
    list_for_safe(l, &q->entries) {
        struct wait_entry *e = list_item(l, struct wait_entry, link);
        e->wake(e, events);
    }
}

static void wake_thread_entry(struct wait_entry *e, u32 events) { thread_wake(e->thread); }

void wait_begin(struct wait_entry *e, struct waitqueue *q) {
    e->wake = wake_thread_entry;
    e->thread = current_thread();
    e->thread->wake_pending = false;
    waitqueue_add(q, e);
}

int thread_block(u64 deadline) {
    struct thread *t = current_thread();
    if (t->wake_pending) {
        t->wake_pending = false;
        return 0;
    }
    if (unlikely(doors_sending) && t != services_thread)
        doors_look();
    if (!t->uninterruptible && (signals_deliverable(t) || unlikely(services_word && services_need_gil_of(t))))
        return -ERESTARTSYS;
    if (deadline != FOREVER) {
        if (deadline <= clock_now())
            return -ETIMEDOUT;
        timer_arm(&t->wait_timer, deadline);
    }
    t->wait_result = 0;
    t->state = THREAD_BLOCKED;
    schedule();
    timer_cancel(&t->wait_timer);
    t->wake_pending = false;
    return t->wait_result;
}

static struct thread *pick(void) {
    for (int p = 0; p < PRIORITY_COUNT; p++)
        if (!list_empty(&ready[p]))
            return list_first(&ready[p], struct thread, run_link);
    return NULL;
}

void scheduler_program_timer(void) {
    struct thread *t = current_thread();
    u64 deadline = timer_next_deadline();
    if (t->state == THREAD_RUNNING && !list_empty(&ready[t->priority]))
        deadline = min_u64(deadline, t->slice_start + max_u64(t->slice_left, 100 * NS_PER_US));
    clock_program(deadline);
}

static void release_dead(void) {
    if (dead) {
        thread_destroy(dead);
        dead = NULL;
    }
}

void schedule(void) {
    struct cpu *cpu = this_cpu();
    struct thread *self = cpu->current, *next;
    account(self, clock_now());
    if (self->state == THREAD_RUNNING) {
        /* Preempted or yielding: behind those that are as good. */
        if (!self->slice_left) {
            self->slice_left = SLICE_NS;
            list_append(&ready[self->priority], &self->run_link);
        } else {
            struct list *queue = &ready[self->priority];
            list_empty(queue) ? list_append(queue, &self->run_link) : list_insert(&self->run_link, queue->next->next);
        }
        self->state = THREAD_READY;
    }
    cpu->need_resched = false;
    while (!(next = pick())) {
        /* Idle on this thread's stack: if it is the one that wakes, nothing needs switching. */
        scheduler_program_timer();
        u64 start = clock_now();
        wait_for_interrupt();
        cpu->idle_ns += clock_now() - start;
        cpu->idle_count++;
    }
    list_remove(&next->run_link);
    next->state = THREAD_RUNNING;
    next->slice_start = clock_now();
    cpu->need_resched = false;
    if (next != self) {
        cpu->current = next;
        cpu->kstack = next->kstack_top;
        if (self->state != THREAD_DEAD)
            fpu_save(self->fpu);
        fpu_restore(next->fpu);
        wrmsr(MSR_FS_BASE, next->fs_base);
        switch_stacks(&self->kernel_rsp, next->kernel_rsp);
        release_dead();
    }
    scheduler_program_timer();
}

/* A new thread's first breath, called by thread_start on its own stack. */
void thread_started(void) {
    release_dead();
    scheduler_program_timer();
    signals_before_return(thread_frame(current_thread()));
}

void thread_yield(void) {
    struct thread *t = current_thread();
    struct list *queue = &ready[t->priority];
    if (list_empty(queue))
        return;
    t->slice_left = 0;
    schedule();
}

void thread_exit(void) {
    struct thread *t = current_thread();
    timer_cancel(&t->wait_timer);
    list_remove(&t->all_link);
    thread_count--;
    t->state = THREAD_DEAD;
    dead = t;
    schedule();
    __builtin_unreachable();
}

void scheduler_timer_interrupt(void) {
    struct cpu *cpu = this_cpu();
    struct thread *t = cpu->current;
    u64 now = clock_now();
    timer_run(now);
    if (t->state == THREAD_RUNNING) {
        account(t, now);
        if (!t->slice_left) {
            if (list_empty(&ready[t->priority]))
                t->slice_left = SLICE_NS;
            else
                cpu->need_resched = true;
        }
    }
    scheduler_program_timer();
}

void preemption_point(void) {
    struct cpu *cpu = this_cpu();
    interrupts_window();
    if (cpu->need_resched)
        schedule();
}

void scheduler_start(struct thread *first) {
    struct cpu *cpu = this_cpu();
    main_thread = first;
    cpu->current = first;
    cpu->kstack = first->kstack_top;
    first->state = THREAD_RUNNING;
    first->slice_start = clock_now();
    fpu_restore(first->fpu);
    wrmsr(MSR_FS_BASE, first->fs_base);
    scheduler_program_timer();
    enter_frame(thread_frame(first));
}
