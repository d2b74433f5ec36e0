/* From the entry code to the call, and what must happen before the program goes on. */
#include "core/errno.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/thread.h"
#include "mm/vm.h"
#include "fs/inode.h"
#include "sys/calls.h"
#include "sys/request.h"

u32 syscall_dispatch(struct frame *f);

#define HIGHEST 512
static u8 reported[HIGHEST];

static i64 unknown(u64 number) {
    u8 *known = &reported[min_u64(number, HIGHEST - 1)];
    if (!*known) {
        *known = 1;
        log_info("system call %lu is not there (ENOSYS)", number);
    }
    return -ENOSYS;
}

static i64 call(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    switch (number) {
#define CALL0(n, name) case n: return sys_##name();
#define CALL1(n, name) case n: return sys_##name(a);
#define CALL2(n, name) case n: return sys_##name(a, b);
#define CALL3(n, name) case n: return sys_##name(a, b, c);
#define CALL4(n, name) case n: return sys_##name(a, b, c, d);
#define CALL5(n, name) case n: return sys_##name(a, b, c, d, e);
#define CALL6(n, name) case n: return sys_##name(a, b, c, d, e, f);
#define IS(n, name, expression) case n: return expression;
#define REFUSE(n, name, error) case n: return -(error);
#include "sys/table.h"
    }
    return number >= OVUM_CALLS && number < OVUM_CALLS + 0x100 ? ovum_call(number - OVUM_CALLS, a, b, c, d, e) : unknown(number);
}

static i64 call_of(const struct frame *f) { return call(f->orig_rax, f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9); }

/* As many detours as path resolution follows symbolic links. */
#define REDIRECTIONS 40

static i64 call_redirected(const struct frame *f) {
    struct path **kept = current_thread()->redirections;
    i64 result = -EREDIRECT;
    for (int n = 0; result == -EREDIRECT && n < REDIRECTIONS; n++)
        result = call_of(f);
    for (int k = 0; k < 2; k++) {
        if (kept[k])
            path_release(kept[k]);
        kept[k] = NULL;
    }
    return result == -EREDIRECT ? -ELOOP : result;
}

static bool interrupted(i64 result) { return result <= -ERESTARTSYS && result >= -ERESTARTNOHAND; }

/* 0: the quick way back; else every register from the frame. */
u32 syscall_dispatch(struct frame *f) {
    struct cpu *cpu = this_cpu();
    if (unlikely(panicking)) {
        /* The panic hook prints tracebacks with write(2); nothing else still works. */
        if (f->orig_rax == 1)
            panic_write(f->rsi, f->rdx);
        f->rax = f->orig_rax == 1 ? f->rdx : (u64)-ENOSYS;
        return 0;
    }
    if (unlikely(services_word))
        services_look_at_word();
    i64 result = call_of(f);
    if (unlikely(result == -EREDIRECT))
        result = call_redirected(f);
    if (unlikely(cpu->current->give_up_gil)) {
        cpu->current->give_up_gil = false;
        /* It may have been asked while it was about to give the lock up: then it waits for the lock's mutex,
         * holds nothing any more, and makes the call again by itself. */
        if (interrupted(result) && !signals_deliverable(cpu->current) && request_has_gil()) {
            signals_end_temporary_mask(0);
            result = -EAGAINWITHOUTGIL;
        }
    }
    if (unlikely(result == -EAGAINWITHOUTGIL || (result == -EDEADLK && cpu->current == services_thread)))
        return services_call_hook(f, result == -EDEADLK ? HOOK_DEADLOCK : HOOK_RELEASE_GIL);
    bool replaced = f->orig_rax == (u64)-1;     /* rt_sigreturn put another frame in its place */
    if (!replaced)
        f->rax = (u64)result;
    if (unlikely(cpu->need_resched))
        schedule();
    if (unlikely(signals_deliverable(cpu->current) || cpu->current->signals.restore || interrupted(result))) {
        signals_end_temporary_mask(result);
        signals_before_return(f);
        return 1;
    }
    return replaced;
}
