/* Signals as the program sets them up, sends them and waits for them. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/thread.h"
#include "sys/calls.h"
#include "sys/signal.h"

static bool valid(u64 signal) { return signal >= 1 && signal <= SIGNALS; }

i64 sys_rt_sigaction(u64 signal, u64 new, u64 old, u64 size) {
    if (size != 8 || !valid(signal) || (new && (signal == SIGKILL || signal == SIGSTOP)))
        return -EINVAL;
    struct sigaction *action = &signal_actions[signal], before = *action, after;
    if (new && copy_from_user(&after, new, sizeof after))
        return -EFAULT;
    if (old && copy_to_user(old, &before, sizeof before))
        return -EFAULT;
    if (new) {
        after.mask &= ~SIGNALS_UNBLOCKABLE;
        *action = after;
        if (signal_ignored((int)signal))
            signal_discard((int)signal);
    }
    return 0;
}

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

i64 sys_rt_sigprocmask(u64 how, u64 new, u64 old, u64 size) {
    u64 *blocked = &current_thread()->signals.blocked, before = *blocked, set;
    if (size != 8)
        return -EINVAL;
    if (new) {
        if (copy_from_user(&set, new, sizeof set))
            return -EFAULT;
        if (how > SIG_SETMASK)
            return -EINVAL;
        u64 after = how == SIG_BLOCK ? before | set : how == SIG_UNBLOCK ? before & ~set : set;
        *blocked = after & ~SIGNALS_UNBLOCKABLE;
    }
    return old ? copy_to_user(old, &before, sizeof before) : 0;
}

i64 sys_rt_sigpending(u64 to, u64 size) {
    const struct thread_signals *s = &current_thread()->signals;
    u64 set = (s->pending | process_pending) & s->blocked;
    return size > 8 ? -EINVAL : copy_to_user(to, &set, size);
}

i64 sys_rt_sigreturn(void) {
    struct thread *t = current_thread();
    struct frame *f = thread_frame(t);
    if (!sigframe_pop(f, t))
        signal_fault(SIGSEGV, SI_KERNEL, 0, f);
    return 0;
}

i64 sys_sigaltstack(u64 new, u64 old) {
    struct thread *t = current_thread();
    struct sigaltstack *alt = &t->signals.altstack, now = *alt, after;
    bool active = on_altstack(alt, thread_frame(t)->rsp);
    now.flags = active ? SS_ONSTACK : alt->flags;
    if (new && copy_from_user(&after, new, sizeof after))
        return -EFAULT;
    if (old && copy_to_user(old, &now, sizeof now))
        return -EFAULT;
    if (!new)
        return 0;
    if (active)
        return -EPERM;
    if ((u32)after.flags & ~(SS_AUTODISARM | SS_DISABLE | SS_ONSTACK))
        return -EINVAL;
    if (after.flags & SS_DISABLE) {
        *alt = (struct sigaltstack){.flags = SS_DISABLE};
        return 0;
    }
    if (after.size < 2048)                      /* MINSIGSTKSZ */
        return -ENOMEM;
    after.flags &= ~SS_ONSTACK;
    *alt = after;
    return 0;
}

/* ---- sending ---- */

static struct siginfo user_info(u64 signal, int code) {
    return (struct siginfo){.signo = (i32)signal, .code = code, .pid = PROCESS_ID};
}

i64 sys_kill(u64 pid, u64 signal) {
    i32 target = (i32)pid;
    if (signal > SIGNALS)
        return -EINVAL;
    if (target != PROCESS_ID && target != 0 && target != -1 && target != -PROCESS_ID)
        return -ESRCH;
    struct siginfo info = user_info(signal, SI_USER);
    if (signal)
        signal_process_info(&info);
    return 0;
}

static i64 send_to_thread(u64 tid, const struct siginfo *info) {
    struct thread *t = thread_find((int)tid);
    if (!t)
        return -ESRCH;
    if (info->signo)
        signal_thread_info(t, info);
    return 0;
}

i64 sys_tkill(u64 tid, u64 signal) {
    struct siginfo info = user_info(signal, SI_TKILL);
    return signal > SIGNALS || (i32)tid <= 0 ? -EINVAL : send_to_thread(tid, &info);
}

i64 sys_tgkill(u64 pid, u64 tid, u64 signal) {
    if ((i32)pid <= 0)
        return -EINVAL;
    return (i32)pid != PROCESS_ID ? -ESRCH : sys_tkill(tid, signal);
}

static i64 send_info(u64 pid, u64 tid, u64 signal, u64 from) {
    struct siginfo info;
    if (signal > SIGNALS)
        return -EINVAL;
    if (copy_from_user(&info, from, sizeof info))
        return -EFAULT;
    if ((i32)pid != PROCESS_ID)
        return -ESRCH;
    if (signals_queued >= SIGNALS_QUEUED_LIMIT)
        return -EAGAIN;
    info.signo = (i32)signal;
    if (tid)
        return send_to_thread(tid, &info);
    if (signal)
        signal_process_info(&info);
    return 0;
}
i64 sys_rt_sigqueueinfo(u64 pid, u64 signal, u64 from) { return send_info(pid, 0, signal, from); }
i64 sys_rt_tgsigqueueinfo(u64 pid, u64 tid, u64 signal, u64 from) { return (i32)tid <= 0 ? -EINVAL : send_info(pid, tid, signal, from); }

/* ---- waiting ---- */

i64 sys_pause(void) {
    int result;
    while (!(result = thread_block(FOREVER)))
        ;
    return -ERESTARTNOHAND;
}

i64 signals_set_temporary_mask(u64 user_mask, u64 size) {
    struct thread_signals *s = &current_thread()->signals;
    u64 mask;
    if (!user_mask)
        return 0;
    if (size != 8)
        return -EINVAL;
    if (copy_from_user(&mask, user_mask, sizeof mask))
        return -EFAULT;
    s->restore_mask = s->blocked;
    s->restore = true;
    s->blocked = mask & ~SIGNALS_UNBLOCKABLE;
    return 0;
}

void signals_end_temporary_mask(i64 result) {
    struct thread_signals *s = &current_thread()->signals;
    /* Interrupted: the handler runs under the temporary mask, its return restores the former one. */
    if (s->restore && result != -EINTR && result != -ERESTARTNOHAND) {
        s->blocked = s->restore_mask;
        s->restore = false;
    }
}

i64 sys_rt_sigsuspend(u64 mask, u64 size) {
    if (!mask)
        return -EFAULT;
    i64 error = signals_set_temporary_mask(mask, size);
    return error ? error : sys_pause();
}

i64 sys_rt_sigtimedwait(u64 set_from, u64 info_to, u64 timeout, u64 size) {
    struct thread *t = current_thread();
    u64 set, deadline = FOREVER;
    if (size != 8)
        return -EINVAL;
    if (copy_from_user(&set, set_from, sizeof set))
        return -EFAULT;
    i64 error = timeout ? deadline_from_user(timeout, false, false, &deadline) : 0;
    if (error)
        return error;
    set &= ~SIGNALS_UNBLOCKABLE;
    struct siginfo info;
    int signal;
    u64 blocked = t->signals.blocked;
    while (!(signal = signal_take(t, set, &info))) {
        /* Signals of the set wake the sleeper though they are blocked for delivery. */
        t->signals.blocked = blocked & ~set;
        int result = thread_block(deadline);
        t->signals.blocked = blocked;
        if (result == -ETIMEDOUT)
            return -EAGAIN;
        if (result && !((t->signals.pending | process_pending) & set))
            return -EINTR;
    }
    if (info_to && copy_to_user(info_to, &info, sizeof info))
        return -EFAULT;
    return signal;
}
