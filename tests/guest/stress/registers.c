/*
 * Holds patterns in every register a program has while the machine interrupts, switches threads and
 * delivers signals, and counts what is found changed.
 */
#include <cpuid.h>

#include "native.h"

enum { GENERAL = 15, RED_ZONE = 16, VECTORS = 16, X87_IMAGE = 108 };

/* Offsets are used by the assembly below. rax rbx rcx rdx rsi rdi rbp r8 to r15; rcx is 0 in the end. */
struct registers {
    u64 general[GENERAL], flags, red_zone[RED_ZONE];    /* 0, 120, 128 */
    uint8_t ymm[VECTORS][32];                   /* 256 */
    u32 mxcsr;                                  /* 768 */
    u32 unused;
    uint8_t x87[X87_IMAGE];                     /* 776: FNSAVE's 108 bytes */
    uint8_t pad[4];
};

enum { WRONG_GENERAL, WRONG_FLAGS, WRONG_RED_ZONE, WRONG_VECTOR, WRONG_MXCSR, WRONG_X87, WRONG_TLS, WRONG_FRAME, ROUNDS, SIGNALS, KINDS };
typedef u64 counts[KINDS];

/* void hold(const struct registers *in, struct registers *out, u64 spins, u64 avx): LOOP changes no flags,
 * and nothing here writes below rsp while the red zone is held. */
void hold(const struct registers *in, struct registers *out, u64 spins, u64 avx);
extern const char hold_begin[], hold_end[];
__asm__(".macro vectors op_y, op_x, store, base\n\t"
        "testq $1, 24(%rsp)\n\tjz 77f\n\t"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        ".if \\store\n\t\\op_y %ymm\\n, 256+32*\\n(\\base)\n\t.else\n\t\\op_y 256+32*\\n(\\base), %ymm\\n\n\t.endif\n\t"
        ".endr\n\tjmp 78f\n77:\n\t"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        ".if \\store\n\t\\op_x %xmm\\n, 256+32*\\n(\\base)\n\t.else\n\t\\op_x 256+32*\\n(\\base), %xmm\\n\n\t.endif\n\t"
        ".endr\n78:\n\t.endm\n"
        ".globl hold\n.type hold, @function\n"
        "hold:\n\t"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\t"
        "sub $40, %rsp\n\t"
        "mov %rdi, (%rsp); mov %rsi, 8(%rsp); mov %rdx, 16(%rsp); mov %rcx, 24(%rsp)\n\t"
        "vectors vmovups, movups, 0, %rdi\n\t"
        "ldmxcsr 768(%rdi)\n\t"
        "frstor 776(%rdi)\n\t"
        "mov %rdi, %rax\n\t"
        "mov 120(%rax), %rcx; push %rcx; popfq\n\t"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        "mov 128+8*\\n(%rax), %rbx; mov %rbx, -128+8*\\n(%rsp)\n\t"
        ".endr\n\t"
        "mov 8(%rax), %rbx; mov 24(%rax), %rdx; mov 32(%rax), %rsi; mov 40(%rax), %rdi; mov 48(%rax), %rbp\n\t"
        "mov 56(%rax), %r8; mov 64(%rax), %r9; mov 72(%rax), %r10; mov 80(%rax), %r11; mov 88(%rax), %r12\n\t"
        "mov 96(%rax), %r13; mov 104(%rax), %r14; mov 112(%rax), %r15\n\t"
        "mov (%rax), %rax\n\t"
        "mov 16(%rsp), %rcx\n\t"
        ".globl hold_begin, hold_end\n"
        "hold_begin:\n\t"
        "1: loop 1b\n"
        "hold_end:\n\t"
        "mov %rax, 32(%rsp)\n\t"
        "mov 8(%rsp), %rax\n\t"
        "mov %rbx, 8(%rax); mov %rcx, 16(%rax); mov %rdx, 24(%rax); mov %rsi, 32(%rax); mov %rdi, 40(%rax); mov %rbp, 48(%rax)\n\t"
        "mov %r8, 56(%rax); mov %r9, 64(%rax); mov %r10, 72(%rax); mov %r11, 80(%rax); mov %r12, 88(%rax)\n\t"
        "mov %r13, 96(%rax); mov %r14, 104(%rax); mov %r15, 112(%rax)\n\t"
        "mov 32(%rsp), %rbx; mov %rbx, (%rax)\n\t"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        "mov -128+8*\\n(%rsp), %rbx; mov %rbx, 128+8*\\n(%rax)\n\t"
        ".endr\n\t"
        "pushfq; pop %rbx; mov %rbx, 120(%rax)\n\t"
        "vectors vmovups, movups, 1, %rax\n\t"
        "stmxcsr 768(%rax)\n\t"
        "fnsave 776(%rax)\n\t"
        "testq $1, 24(%rsp); jz 2f; vzeroupper; 2:\n\t"
        "add $40, %rsp\n\t"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
        "ret\n");

/* Carry, parity, adjust, zero, sign, overflow; DF must be clear by the ABI wherever a signal may come. */
#define FLAGS 0x8d5ull

static int has_avx(void)
{
    u32 a, b, c, d;

    __cpuid(1, a, b, c, d);
    return (c >> 27 & 3) == 3;                  /* OSXSAVE and AVX */
}

static void fill(struct registers *r, u64 *random)
{
    for (unsigned i = 0; i < sizeof *r; i++)
        ((uint8_t *)r)[i] = (uint8_t)(next_random(random) >> 56);
    r->general[2] = 0;
    r->flags = (r->flags & FLAGS) | 0x202;
    r->mxcsr = 0x1f80 | (r->mxcsr & 0x603f);    /* all exceptions masked, any rounding, any flags */
    /* FNSAVE's image: control, status (top of stack), tags; addresses of the last instruction are left out. */
    u32 *x87 = (u32 *)r->x87;
    u64 bits = next_random(random);
    x87[0] = 0xffff037f | (u32)(bits & 0xc00);
    x87[1] = 0xffff0000 | (u32)(bits >> 16 & 0x7f00);
    x87[2] = 0xffff0000;                        /* all registers valid */
    for (unsigned i = 3; i < 7; i++)
        x87[i] = 0;
    for (unsigned i = 0; i < 8; i++)            /* normal numbers: integer bit set, moderate exponent */
        r->x87[28 + 10 * i + 7] |= 0x80, r->x87[28 + 10 * i + 8] = (uint8_t)i, r->x87[28 + 10 * i + 9] = 0x3f;
}

static int same(const void *a, const void *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
            return 0;
    return 1;
}

static void compare(const struct registers *in, const struct registers *out, int avx, u64 *counted)
{
    counted[WRONG_GENERAL] += !same(in->general, out->general, sizeof in->general);
    counted[WRONG_FLAGS] += (out->flags & (FLAGS | 0x400)) != (in->flags & FLAGS);
    counted[WRONG_RED_ZONE] += !same(in->red_zone, out->red_zone, sizeof in->red_zone);
    for (unsigned i = 0; i < VECTORS; i++)
        counted[WRONG_VECTOR] += !same(in->ymm[i], out->ymm[i], avx ? 32 : 16);
    counted[WRONG_MXCSR] += in->mxcsr != out->mxcsr;
    const u32 *a = (const u32 *)in->x87, *b = (const u32 *)out->x87;
    counted[WRONG_X87] += (u32)((a[0] ^ b[0]) << 16 | (a[1] ^ b[1]) << 16 | (a[2] ^ b[2]) << 16) != 0 || !same(in->x87 + 28, out->x87 + 28, 80);
}

/* In a thread of its own, until told to stop. */
void hold_registers(u64 seed, volatile uint8_t *stop, u64 *counted)
{
    struct registers in, out;
    u64 random = seed * 0x9e3779b97f4a7c15ull + 1, self, again;
    int avx = has_avx();
    u32 mxcsr;
    uint8_t x87[X87_IMAGE];

    __asm__ volatile("mov %%fs:16, %0" : "=r"(self));
    while (!*stop) {
        fill(&in, &random);
        __asm__ volatile("stmxcsr %0; fnsave %1" : "=m"(mxcsr), "=m"(x87));
        hold(&in, &out, 1 + below(&random, 3000), (u64)avx);
        __asm__ volatile("ldmxcsr %0; frstor %1" : : "m"(mxcsr), "m"(x87));
        __asm__ volatile("mov %%fs:16, %0" : "=r"(again));
        compare(&in, &out, avx, counted);
        counted[WRONG_TLS] += again != self;
        counted[ROUNDS]++;
    }
}

/* ---- signals in the middle of it ---- */

static counts *of_handler;

/* ucontext: flags, link, stack (24 bytes), then r8 to r15 rdi rsi rbp rbx rdx rax rcx rsp rip eflags
 * (asm/sigcontext.h); number 23 is the pointer to the FXSAVE or XSAVE image (SDM 1, 13.4). */
static void on_signal(int number, void *info, void *context)
{
    static const int order[GENERAL] = {13, 11, -1, 12, 9, 8, 10, 0, 1, 2, 3, 4, 5, 6, 7};
    const u64 *g = (const u64 *)context + 5, *zeros;
    const uint8_t *image = (const uint8_t *)g[23];
    int avx = has_avx();

    (void)number;
    (void)info;
    (*of_handler)[SIGNALS]++;
    if (g[16] >= (u64)hold_begin && g[16] < (u64)hold_end) {
        const struct registers *in = *(const struct registers **)g[15];
        int wrong = ((u64)image & 63) != 0 || (g[17] & (FLAGS | 0x400)) != (in->flags & FLAGS);
        for (int i = 0; i < GENERAL; i++)
            wrong |= order[i] >= 0 && g[order[i]] != in->general[i];
        for (int i = 0; i < VECTORS; i++)
            wrong |= !same(image + 160 + 16 * i, in->ymm[i], 16) || (avx && !same(image + 576 + 16 * i, in->ymm[i] + 16, 16));
        wrong |= *(const u32 *)(image + 24) != in->mxcsr || *(const uint16_t *)image != *(const uint16_t *)in->x87;
        (*of_handler)[WRONG_FRAME] += (u64)wrong;
    }
    /* Whatever is left in the registers here must be gone afterwards. */
    zeros = (const u64[4]){number, ~0ull, 0x5555, ~0ull};
    if (avx)
        __asm__ volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
                         "vmovups %0, %%ymm\\n\n\t.endr" : : "m"(*(const u64(*)[4])zeros));
    __asm__ volatile("fninit; fldpi; fld1; ldmxcsr %0" : : "m"((const u32){0x7fbf}));
}

__attribute__((naked)) static void restorer(void) { __asm__("mov $15, %eax; syscall; ud2"); }

/* The handler for a signal; with an alternate stack for the threads that call `use_stack`. */
void handle(u64 number, counts *counted)
{
    struct kernel_action action = {(u64)on_signal, SA_RESTORER | SA_SIGINFO | SA_ONSTACK | SA_RESTART, (u64)restorer, 0};

    of_handler = counted;
    raw(13, number, (u64)&action, 0, 8, 0, 0);
}

void use_stack(u64 start, u64 size)
{
    u64 stack[3] = {start, 0, size};

    raw(131, (u64)stack, 0, 0, 0, 0, 0);
}

/* Sleeps as briefly as possible, again and again: each time it wakes, it interrupts somebody; and sends a
 * signal to one thread after the other. Number of times. */
u64 disturb(volatile uint8_t *stop, const u64 *threads, u64 count, u64 number)
{
    u64 times = 0, pause[2] = {0, 20000};

    while (!*stop) {
        raw(35, (u64)pause, 0, 0, 0, 0, 0);
        if (count && times % 4 == 0)
            raw(234, 1, threads[times / 4 % count], number, 0, 0, 0);
        times++;
    }
    return times;
}
