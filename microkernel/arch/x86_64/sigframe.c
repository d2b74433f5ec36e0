/* Linux's rt_sigframe for x86-64: what a handler and sigreturn see on the stack.
 * Layout: asm/sigframe.h, asm/ucontext.h, asm/sigcontext.h. */
#include "arch/x86_64/cpu.h"
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "mm/user.h"
#include "sys/signal.h"

struct sigcontext {
    u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    u16 cs, gs, fs, ss;
    u64 error, trapno, oldmask, cr2, fpstate, reserved[8];
};

struct ucontext {
    u64 flags, link;
    struct sigaltstack stack;
    struct sigcontext context;
    u64 mask;
};

struct sigframe {
    u64 return_address;                         /* the restorer */
    struct ucontext uc;
    struct siginfo info;
};

#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4
#define FP_XSTATE_MAGIC1 0x46505853
#define FP_XSTATE_MAGIC2 0x46505845
/* In the reserved bytes of the FXSAVE area (struct _fpx_sw_bytes). */
struct sw_bytes { u32 magic1, extended_size; u64 xfeatures; u32 xstate_size, padding[7]; };
#define SW_BYTES 464

u64 sigframe_size(void) { return ALIGN_UP(cpu_features.fpu_size + 4 + 64, 64) + sizeof(struct sigframe) + 128 + 16; }

bool sigframe_push(struct frame *f, struct thread *t, const struct sigaction *action, const struct siginfo *info, u64 old_mask) {
    u64 sp = f->rsp - 128;                      /* over the red zone */
    struct sigaltstack *alt = &t->signals.altstack;
    bool alternate = on_altstack(alt, f->rsp);
    if (action->flags & SA_ONSTACK && !(alt->flags & SS_DISABLE) && !alternate) {
        sp = alt->sp + alt->size;
        alternate = true;
    }
    u32 fpu_size = cpu_features.fpu_size;
    u64 fp = ALIGN_DOWN(sp - fpu_size - 4, 64);
    u64 at = ALIGN_DOWN(fp - sizeof(struct sigframe), 16) - 8;
    if (alternate && !on_altstack(alt, at))
        return false;                           /* rather than over what lies below that stack */

    struct sigframe s = {.return_address = action->restorer, .info = *info};
    s.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (cpu_features.xsave ? UC_FP_XSTATE : 0);
    s.uc.stack = *alt;
    s.uc.stack.flags = on_altstack(alt, f->rsp) ? SS_ONSTACK : (i32)(alt->flags & ~SS_ONSTACK);
    s.uc.mask = old_mask;
    s.uc.context = (struct sigcontext){
        f->r8, f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15, f->rdi, f->rsi, f->rbp, f->rbx, f->rdx, f->rax,
        f->rcx, f->rsp, f->rip, f->rflags, 0x33, 0, 0, 0x2b, f->error, f->vector > 255 ? 0 : f->vector, old_mask,
        info->signo == SIGSEGV || info->signo == SIGBUS ? info->address : 0, fp, {0},
    };
    fpu_save(t->fpu);
    if (cpu_features.xsave) {
        *(struct sw_bytes *)((u8 *)t->fpu + SW_BYTES) = (struct sw_bytes){FP_XSTATE_MAGIC1, fpu_size + 4, cpu_features.xcr0, fpu_size, {0}};
    }
    u32 magic2 = FP_XSTATE_MAGIC2;
    if (copy_to_user(fp, t->fpu, fpu_size) || (cpu_features.xsave && copy_to_user(fp + fpu_size, &magic2, 4)) ||
        copy_to_user(at, &s, sizeof s))
        return false;
    fpu_init_context(t->fpu);                   /* handlers start with a fresh unit */
    fpu_restore(t->fpu);
    if (alt->flags & (i32)SS_AUTODISARM)
        alt->flags = SS_DISABLE;
    f->rsp = at;
    f->rip = action->handler;
    f->rdi = (u64)info->signo;
    f->rsi = at + offsetof(struct sigframe, info);
    f->rdx = at + offsetof(struct sigframe, uc);
    f->rax = 0;
    f->rflags &= ~(u64)(RFLAGS_DF | RFLAGS_TF);
    return true;
}

/* What comes from memory is the program's word: keep reserved bits out, or XRSTOR would fault. */
static bool load_fpu(struct thread *t, u64 fp) {
    u32 size = cpu_features.fpu_size;
    if (!fp) {
        fpu_init_context(t->fpu);
        return true;
    }
    if (copy_from_user(t->fpu, fp, cpu_features.xsave ? size : 512))
        return false;
    u8 *area = t->fpu;
    *(u32 *)(area + 24) &= 0xffff;              /* MXCSR: reserved bits raise #GP */
    if (cpu_features.xsave) {
        const struct sw_bytes *sw = (const void *)(area + SW_BYTES);
        if (sw->magic1 != FP_XSTATE_MAGIC1) {
            memset(area + 512, 0, size - 512);
            *(u64 *)(area + 512) = 3;
        }
        *(u64 *)(area + 512) &= cpu_features.xcr0;
        memset(area + 520, 0, 56);              /* XCOMP_BV and the rest of the header */
    }
    return true;
}

bool sigframe_pop(struct frame *f, struct thread *t) {
    struct sigframe s;
    u64 at = f->rsp - 8;                        /* the handler's return popped the restorer */
    if (copy_from_user(&s, at, sizeof s) || !load_fpu(t, s.uc.context.fpstate))
        return false;
    const struct sigcontext *c = &s.uc.context;
    if (c->rip >= USER_END)
        return false;
    fpu_restore(t->fpu);
    *f = (struct frame){
        c->r15, c->r14, c->r13, c->r12, c->rbp, c->rbx, c->r11, c->r10, c->r9, c->r8, c->rdi, c->rsi, c->rdx, c->rcx, c->rax,
        (u64)-1, 0, 0, c->rip, KERNEL_CS, (c->eflags & RFLAGS_USER) | RFLAGS_IF | 2, c->rsp, KERNEL_SS,
    };
    t->signals.blocked = s.uc.mask & ~SIGNALS_UNBLOCKABLE;
    if (!(s.uc.stack.flags & SS_ONSTACK))
        t->signals.altstack = s.uc.stack;
    return true;
}
