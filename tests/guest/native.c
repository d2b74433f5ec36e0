/*
 * What Python cannot do to a processor, for the checks in the guest. Built as a shared library without
 * the C library, so that it loads anywhere.
 */
#include <stddef.h>
#include <stdint.h>

/* Counts without a system call or the GIL until told to stop. */
void spin(volatile uint64_t *counter, volatile uint8_t *stop)
{
    while (!*stop)
        ++*counter;
}

/* Fills registers 1 to 15 from patterns (16 times 32 bytes), compares them again and again, and counts
 * the comparisons that fail: what another thread's registers would do after a bad switch. */
#define EACH(step)                                                                                \
    step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)     \
        step(12) step(13) step(14) step(15)

#define FILL_YMM(n) "vmovups 32*" #n "(%[patterns]), %%ymm" #n "\n\t"
#define COMPARE_YMM(n)                                                                            \
    "vxorps 32*" #n "(%[patterns]), %%ymm" #n ", %%ymm0\n\t"                                      \
    "vptest %%ymm0, %%ymm0\n\t"                                                                   \
    "jnz 2f\n\t"
#define FILL_XMM(n) "movdqu 32*" #n "(%[patterns]), %%xmm" #n "\n\t"
#define COMPARE_XMM(n)                                                                            \
    "movdqu 32*" #n "(%[patterns]), %%xmm0\n\t"                                                   \
    "pcmpeqb %%xmm" #n ", %%xmm0\n\t"                                                             \
    "pmovmskb %%xmm0, %%ecx\n\t"                                                                  \
    "cmp $0xffff, %%ecx\n\t"                                                                      \
    "jne 2f\n\t"

#define CLOBBERED                                                                                 \
    "ecx", "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",        \
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

#define LOOP(fill, compare, end)                                                                  \
    uint64_t wrong = 0;                                                                           \
    __asm__ volatile(EACH(fill)                                                                   \
                     "1:\n\t" EACH(compare)                                                       \
                     "3: dec %[rounds]\n\t"                                                       \
                     "jnz 1b\n\t"                                                                 \
                     "jmp 4f\n\t"                                                                 \
                     "2: inc %[wrong]\n\t"                                                        \
                     "jmp 3b\n\t"                                                                 \
                     "4: " end                                                                    \
                     : [wrong] "+r"(wrong), [rounds] "+r"(rounds)                                 \
                     : [patterns] "r"(patterns)                                                   \
                     : CLOBBERED);                                                                \
    return wrong

uint64_t wrong_ymm(const uint8_t *patterns, uint64_t rounds)
{
    LOOP(FILL_YMM, COMPARE_YMM, "vzeroupper\n\t");
}

uint64_t wrong_xmm(const uint8_t *patterns, uint64_t rounds)
{
    LOOP(FILL_XMM, COMPARE_XMM, "");
}

/* The control words of both floating point units, which belong to a thread as well: sets the rounding
 * that is asked for (0 to 3) and counts how often it is found changed. */
uint64_t wrong_rounding(uint32_t rounding, uint64_t rounds)
{
    uint32_t mxcsr_before, mxcsr, mxcsr_wanted = 0x1f80 | rounding << 13;
    uint16_t control_before, control, control_wanted = (uint16_t)(0x37f | rounding << 10);
    uint64_t wrong = 0;

    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr_before), "=m"(control_before));
    __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr_wanted), "m"(control_wanted));
    while (rounds--) {
        __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(control));
        /* The low bits of MXCSR are flags of what happened, not settings. */
        wrong += (mxcsr & ~0x3fu) != mxcsr_wanted || control != control_wanted;
    }
    __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr_before), "m"(control_before));
    return wrong;
}

/* ABI: 128 bytes below the stack pointer are the function's own. Whatever interrupts must not touch
 * them. Fills the red zone with a word that changes, and counts the words that are not as written. */
uint64_t wrong_red_zone(uint64_t rounds)
{
    uint64_t wrong = 0;

    __asm__ volatile("1:\n\t"
                     ".irp at, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128\n\t"
                     "mov %[rounds], -\\at(%%rsp)\n\t"
                     ".endr\n\t"
                     ".irp at, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128\n\t"
                     "cmp %[rounds], -\\at(%%rsp)\n\t"
                     "jne 2f\n\t"
                     ".endr\n\t"
                     "3: dec %[rounds]\n\t"
                     "jnz 1b\n\t"
                     "jmp 4f\n\t"
                     "2: inc %[wrong]\n\t"
                     "jmp 3b\n\t"
                     "4:\n\t"
                     : [wrong] "+r"(wrong), [rounds] "+r"(rounds)
                     :
                     : "cc", "memory");
    return wrong;
}

/* CMPXCHG16B as QEMU's emulator gets it wrong: where the flags were last loaded as a whole, it leaves an
 * operand of the instruction before (here with the bits of TF, DF and NT) in their place until some
 * instruction sets them. The jumps are where the emulator looks for interrupts. */
uint64_t exchange_16_bytes(uint64_t rounds)
{
    uint64_t target[2] __attribute__((aligned(16))) = {0, 0};

    while (rounds--)
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                         "pushfq\n\tpopfq\n\t"
                         "lea 128(%%rsp), %%rsp\n\t"
                         "mov $0x4700, %%r8d\n\t"
                         "mov $1, %%r9d\n\t"
                         "add %%r8, %%r9\n\t"
                         "lock cmpxchg16b %[target]\n\t"
                         ".rept 20\n\tjmp . + 2\n\t.endr"
                         : [target] "+m"(target)
                         : "a"(0L), "d"(0L), "b"(0L), "c"(0L)
                         : "r8", "r9", "cc", "memory");
    return target[0];
}

/* ---- what must not be survived in silence ---- */

int divide_by_zero(void)
{
    int quotient;

    __asm__ volatile("xor %%ecx, %%ecx; mov $7, %%eax; cltd; idiv %%ecx"
                     : "=a"(quotient) : : "ecx", "edx", "cc");
    return quotient;
}

void invalid_opcode(void) { __asm__ volatile("ud2"); }

/* Neither half of the address space has this address: a general protection fault. */
uint64_t read_non_canonical(void) { return *(volatile uint64_t *)0x0000800000000000; }

/* Recurses until the stack's guard page, if there is one. */
uint64_t exhaust_stack(uint64_t depth)
{
    volatile uint64_t here[64];

    here[0] = depth;
    return depth ? exhaust_stack(depth - 1) + here[0] : 0;
}

/* pread(2) of 16 bytes, raw: how many registers and words of the red zone are not what they were. A call that
 * a task serves is made again in the middle of the instruction when the caller holds the interpreter. */
uint64_t wrong_after_pread(int fd, char *buffer)
{
    uint64_t wrong = 0;
    __asm__ volatile(
        "mov $0x1111111111111111, %%rbx\n\t"
        "lea 0x1111(%%rbx), %%r12\n\t"
        "lea 0x2222(%%rbx), %%r13\n\t"
        "lea 0x3333(%%rbx), %%r14\n\t"
        "lea 0x4444(%%rbx), %%r15\n\t"
        "lea 0x5555(%%rbx), %%r8\n\t"
        "lea 0x6666(%%rbx), %%r9\n\t"
        "movq %%r12, %%xmm3\n\t"
        "movq %%r13, %%xmm15\n\t"
        "mov %%r14, -8(%%rsp)\n\t"
        "mov %%r15, -128(%%rsp)\n\t"
        "movslq %[fd], %%rdi\n\t"
        "mov %[buffer], %%rsi\n\t"
        "mov $16, %%edx\n\t"
        "xor %%r10d, %%r10d\n\t"
        "mov $17, %%eax\n\t"
        "syscall\n\t"
#define COMPARE(a, b) "cmp " a ", " b "\n\tje 1f\n\tincq %[wrong]\n\t1:\n\t"
        COMPARE("$4", "%%rax")
        COMPARE("$16", "%%rdx")
        COMPARE("%[buffer]", "%%rsi")
        COMPARE("$0", "%%r10")
        COMPARE("%%r14", "-8(%%rsp)")
        COMPARE("%%r15", "-128(%%rsp)")
        "movq %%xmm3, %%rax\n\t" COMPARE("%%r12", "%%rax")
        "movq %%xmm15, %%rax\n\t" COMPARE("%%r13", "%%rax")
        "lea 0x1111(%%rbx), %%rax\n\t" COMPARE("%%rax", "%%r12")
        "lea 0x2222(%%rbx), %%rax\n\t" COMPARE("%%rax", "%%r13")
        "lea 0x3333(%%rbx), %%rax\n\t" COMPARE("%%rax", "%%r14")
        "lea 0x4444(%%rbx), %%rax\n\t" COMPARE("%%rax", "%%r15")
        "lea 0x5555(%%rbx), %%rax\n\t" COMPARE("%%rax", "%%r8")
        "lea 0x6666(%%rbx), %%rax\n\t" COMPARE("%%rax", "%%r9")
        "mov $0x1111111111111111, %%rax\n\t" COMPARE("%%rax", "%%rbx")
        : [wrong] "+m"(wrong)
        : [fd] "m"(fd), [buffer] "m"(buffer)
        : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm3",
          "xmm15", "cc", "memory");
    return wrong;
}
