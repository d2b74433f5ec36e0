/* The processor: instructions C has no word for, the per-CPU block behind GS, features, contexts. */
#pragma once

#include "arch/x86_64/layout.h"
#include "core/types.h"

static inline u8 in8(u16 port) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline void out8(u16 port, u8 v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline u16 in16(u16 port) { u16 v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline void out16(u16 port, u16 v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port)); }

static inline u64 rdmsr(u32 msr) {
    u32 lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (u64)hi << 32 | lo;
}
static inline void wrmsr(u32 msr, u64 v) {
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
/* The same, but a #GP gives false (an entry in the exception table). */
bool rdmsr_safe(u32 msr, u64 *value);
bool wrmsr_safe(u32 msr, u64 value);

struct cpuid { u32 eax, ebx, ecx, edx; };
static inline struct cpuid cpuid(u32 leaf, u32 subleaf) {
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}
static inline u64 rdtsc(void) {
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (u64)hi << 32 | lo;
}
static inline void cpu_relax(void) { __asm__ volatile("pause" : : : "memory"); }
static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
/* Lets in what is pending. Not PAUSE in between: QEMU's emulator would not look for interrupts after it. */
static inline void interrupts_window(void) { __asm__ volatile("sti; nop; nop; cli" : : : "memory"); }
/* sti takes effect after the next instruction, so no wake-up is lost between the two. */
static inline void wait_for_interrupt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }
static inline u64 read_cr2(void) { u64 v; __asm__ volatile("mov %%cr2, %0" : "=r"(v)); return v; }
static inline u64 read_cr3(void) { u64 v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)); return v; }
static inline void write_cr3(u64 v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void flush_page(vaddr_t va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }

enum {
    MSR_APIC_BASE = 0x1b, MSR_PAT = 0x277, MSR_STAR = 0xc0000081, MSR_LSTAR = 0xc0000082, MSR_SFMASK = 0xc0000084,
    MSR_FS_BASE = 0xc0000100, MSR_GS_BASE = 0xc0000101,
};

enum {
    RFLAGS_TF = 1 << 8, RFLAGS_IF = 1 << 9, RFLAGS_DF = 1 << 10, RFLAGS_NT = 1 << 14, RFLAGS_AC = 1 << 18,
    /* What a program may have set in its flags: CF PF AF ZF SF TF DF OF AC ID. */
    RFLAGS_USER = 0x240dd5,
};

/* All registers at a trap or system call, in the order the entry code pushes them. */
struct frame {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    u64 orig_rax;                               /* system call number, or minus one */
    u64 vector, error;
    u64 rip, cs, rflags, rsp, ss;
};

struct thread;

/* GS base points here, on every CPU at its own. */
struct cpu {
    struct cpu *self;
    u64 kstack;                                 /* CPU_KSTACK: top of the running thread's kernel stack */
    u64 user_rsp;                               /* CPU_USER_RSP: scratch of the system call entry */
    struct thread *current;
    bool need_resched;
    u64 idle_ns, idle_count;                    /* time spent halted, and how often */
};
_Static_assert(offsetof(struct cpu, kstack) == CPU_KSTACK, "entry.S");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "entry.S");

static inline struct cpu *this_cpu(void) {
    struct cpu *c;
    __asm__("movq %%gs:0, %0" : "=r"(c));
    return c;
}

struct cpu_features {
    bool xsave, rdrand, rdseed, hypervisor;
    bool tcg;                                   /* QEMU's software emulation */
    u64 xcr0;                                   /* state components in use */
    u32 fpu_size;                               /* bytes of a saved context */
};
extern struct cpu_features cpu_features;

/* GDT, TSS, IDT, system call registers and the vector unit of this CPU. */
void cpu_init(void);

/* Vector and floating-point contexts: 64-byte aligned, cpu_features.fpu_size bytes. */
void fpu_init_context(void *area);
void fpu_save(void *area);
void fpu_restore(const void *area);
