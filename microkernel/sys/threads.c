/* Threads as the program makes and asks about them. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/log.h"
#include "core/string.h"
#include "core/thread.h"
#include "dev/console.h"
#include "sys/calls.h"
#include "sys/request.h"

enum {
    CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_THREAD = 0x10000, CLONE_SYSVSEM = 0x40000,
    CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x100000, CLONE_CHILD_CLEARTID = 0x200000, CLONE_CHILD_SETTID = 0x1000000,
};
#define CLONE_AS_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

i64 sys_clone(u64 flags, u64 stack, u64 parent_tid, u64 child_tid, u64 tls) {
    if ((flags & CLONE_AS_THREAD) != CLONE_AS_THREAD)
        return -ENOSYS;                         /* a process: there are none */
    struct thread *self = current_thread();
    if (flags & CLONE_SETTLS && tls >= USER_END)
        return -EPERM;
    struct frame registers = *thread_frame(self);
    registers.rax = 0;
    registers.orig_rax = (u64)-1;
    if (stack)
        registers.rsp = stack;
    struct thread *t = thread_create(&registers, flags & CLONE_SETTLS ? tls : self->fs_base);
    if (!t)
        return -EAGAIN;
    /* The child starts with the parent's vector state (glibc sets up MXCSR and the like once). */
    fpu_save(self->fpu);
    memcpy(t->fpu, self->fpu, cpu_features.fpu_size);
    memcpy(t->name, self->name, sizeof t->name);
    t->signals.blocked = self->signals.blocked;
    if (self != services_thread) {              /* what outranks everybody is that thread alone, not its helpers */
        t->priority = self->priority;
        t->policy = self->policy;
        t->policy_priority = self->policy_priority;
    }
    i32 tid = t->tid;
    if (flags & CLONE_CHILD_CLEARTID)
        t->clear_child_tid = child_tid;
    /* Linux does not care either whether these can be stored: the thread is there. */
    if (flags & CLONE_PARENT_SETTID)
        (void)copy_to_user(parent_tid, &tid, sizeof tid);
    if (flags & CLONE_CHILD_SETTID)
        (void)copy_to_user(child_tid, &tid, sizeof tid);
    t->slice_left = 0;                          /* new threads queue behind those that wait already */
    thread_ready(t);
    return tid;
}

struct clone_args { u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; };

i64 sys_clone3(u64 from, u64 size) {
    struct clone_args a;
    if (size < sizeof a)
        return -EINVAL;
    if (copy_from_user(&a, from, sizeof a))
        return -EFAULT;
    return sys_clone(a.flags, a.stack + a.stack_size, a.parent_tid, a.child_tid, a.tls);
}

i64 sys_exit(u64 status) {
    struct thread *t = current_thread();
    if (t == services_thread)
        services_ended();
    if (thread_count == (services_thread ? 2 : 1))
        console_exit((u8)status);               /* the program's last: services are not the program */
    if (t->clear_child_tid) {
        u32 zero = 0;
        if (!copy_to_user(t->clear_child_tid, &zero, sizeof zero))
            futex_wake(t->clear_child_tid, 1, UINT32_MAX);
    }
    process_exited_cpu_ns += thread_cpu_time(t);
    signals_drop(t);
    list_for(l, &all_threads) {
        struct thread *other = list_item(l, struct thread, all_link);
        if (main_thread == t && other != t)
            main_thread = other;
        if (process_pending && other != t)
            thread_interrupt(other);            /* a signal that was left to this thread is another's now */
    }
    thread_exit();
}

i64 sys_exit_group(u64 status) { console_exit((u8)status); }

i64 sys_set_tid_address(u64 address) {
    current_thread()->clear_child_tid = address;
    return current_thread()->tid;
}

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };

i64 sys_arch_prctl(u64 code, u64 address) {
    struct thread *t = current_thread();
    switch (code) {
    case ARCH_SET_FS:
        if (address >= USER_END)
            return -EPERM;
        t->fs_base = address;
        wrmsr(MSR_FS_BASE, address);
        return 0;
    case ARCH_GET_FS:
        return copy_to_user(address, &t->fs_base, sizeof t->fs_base);
    }
    return -EINVAL;                             /* GS is the kernel's */
}

enum { PR_SET_PDEATHSIG = 1, PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4, PR_SET_NAME = 15, PR_GET_NAME = 16, PR_SET_TIMERSLACK = 29, PR_GET_TIMERSLACK = 30, PR_SET_NO_NEW_PRIVS = 38 };

i64 sys_prctl(u64 option, u64 a) {
    struct thread *t = current_thread();
    char name[sizeof t->name];
    switch (option) {
    case PR_SET_NAME:
        if (copy_string_from_user(name, a, sizeof name) == -EFAULT)
            return -EFAULT;
        name[sizeof name - 1] = 0;
        memcpy(t->name, name, sizeof name);
        return 0;
    case PR_GET_NAME:
        return copy_to_user(a, t->name, sizeof t->name);
    case PR_GET_DUMPABLE:
        return 0;
    case PR_GET_TIMERSLACK:
        return 1;
    case PR_SET_PDEATHSIG:
    case PR_SET_DUMPABLE:
    case PR_SET_TIMERSLACK:
    case PR_SET_NO_NEW_PRIVS:
        return 0;
    }
    return -EINVAL;
}

/* ---- scheduling: one CPU, two priorities ---- */

i64 sys_sched_yield(void) {
    thread_yield();
    return 0;
}

static bool known(u64 tid) { return !tid || thread_find((int)tid); }

i64 sys_sched_getaffinity(u64 tid, u64 size, u64 to) {
    u64 mask = 1;
    if (!known(tid))
        return -ESRCH;
    if (size < 8 || size & 7)
        return -EINVAL;
    return copy_to_user(to, &mask, sizeof mask) ? -EFAULT : 8;
}

i64 sys_sched_setaffinity(u64 tid, u64 size, u64 from) {
    u64 mask = 0;
    if (!known(tid))
        return -ESRCH;
    if (copy_from_user(&mask, from, min_u64(size, sizeof mask)))
        return -EFAULT;
    return mask & 1 ? 0 : -EINVAL;
}

i64 sys_getcpu(u64 cpu, u64 node) {
    u32 zero = 0;
    return (cpu && copy_to_user(cpu, &zero, 4)) || (node && copy_to_user(node, &zero, 4)) ? -EFAULT : 0;
}

/* Who asks for a real-time policy becomes a thread of the services' priority, all of which are equal: the
 * number is only remembered. OTHER, BATCH and IDLE are one as well. */
enum { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5 };

static bool real_time(u64 policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }
static bool known_policy(u64 policy) { return policy <= SCHED_IDLE && policy != 4; }

static struct thread *thread_of(u64 tid) { return tid ? thread_find((int)tid) : current_thread(); }

i64 sys_sched_getscheduler(u64 tid) {
    struct thread *t = thread_of(tid);
    return t ? t->policy : -ESRCH;
}

i64 sys_sched_getparam(u64 tid, u64 to) {
    struct thread *t = thread_of(tid);
    i32 priority = t ? t->policy_priority : 0;
    return t ? copy_to_user(to, &priority, sizeof priority) : -ESRCH;
}

i64 sys_sched_setscheduler(u64 tid, u64 policy, u64 from) {
    struct thread *t = thread_of(tid);
    i32 priority;
    policy &= 0xff;                             /* without SCHED_RESET_ON_FORK */
    if (copy_from_user(&priority, from, sizeof priority))
        return -EFAULT;
    if (!known_policy(policy) || (real_time(policy) ? priority < 1 || priority > 99 : priority != 0))
        return -EINVAL;
    if (!t)
        return -ESRCH;
    t->policy = (u8)policy;
    t->policy_priority = (u8)priority;
    thread_set_priority(t, real_time(policy) ? PRIORITY_SERVICES : PRIORITY_NORMAL);
    return 0;
}

i64 sys_sched_setparam(u64 tid, u64 from) {
    struct thread *t = thread_of(tid);
    return t ? sys_sched_setscheduler(tid, t->policy, from) : -ESRCH;
}
i64 sys_sched_get_priority_max(u64 policy) { return !known_policy(policy) ? -EINVAL : real_time(policy) ? 99 : 0; }
i64 sys_sched_get_priority_min(u64 policy) { return !known_policy(policy) ? -EINVAL : real_time(policy) ? 1 : 0; }

i64 sys_sched_rr_get_interval(u64 tid, u64 to) {
    struct timespec t = {0, 6 * NS_PER_MS};
    return !known(tid) ? -ESRCH : copy_to_user(to, &t, sizeof t);
}
