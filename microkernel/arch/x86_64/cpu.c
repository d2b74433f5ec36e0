/* Brings one CPU into the state everything else expects: descriptor tables, interrupt stacks, system
 * call entry, vector unit. All traps run on interrupt stacks (IST), because the code above us runs in
 * ring 0 too and keeps live data below its stack pointer (the red zone of the System V ABI). */
#include "arch/x86_64/cpu.h"

#include "core/log.h"
#include "core/string.h"

struct cpu_features cpu_features;

static struct cpu boot_cpu;

static struct {
    u32 reserved0;
    u64 rsp[3];
    u64 reserved1;
    u64 ist[7];
    u64 reserved2;
    u16 reserved3, iomap_base;
} __attribute__((packed)) tss;

static u64 gdt[5];

struct idt_entry {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_mid;
    u32 offset_high, reserved;
};
static struct idt_entry idt[256];

#define IST_STACK_SIZE 8192
static u8 ist_stacks[4][IST_STACK_SIZE] __attribute__((aligned(16)));

extern const u8 trap_stubs[];                   /* 256 stubs of 16 bytes each (entry.S) */
extern void syscall_entry(void);

static void load_descriptors(void) {
    u64 base = (u64)&tss;
    gdt[1] = 0x00af9b000000ffff;                /* 64-bit code, ring 0, accessed */
    gdt[2] = 0x00cf93000000ffff;                /* data */
    gdt[3] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[4] = base >> 32;
    for (int i = 0; i < 4; i++)
        tss.ist[i] = (u64)ist_stacks[i] + IST_STACK_SIZE;
    tss.iomap_base = sizeof tss;
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer = {sizeof gdt - 1, (u64)gdt};
    __asm__ volatile("lgdt %0" : : "m"(pointer));
    __asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR));

    for (int v = 0; v < 256; v++) {
        u64 stub = (u64)trap_stubs + (u64)v * 16;
        u8 ist = v == 8 ? IST_DOUBLE_FAULT : v == 2 ? IST_NMI : v < VECTOR_IRQ_BASE ? IST_EXCEPTION : IST_INTERRUPT;
        idt[v] = (struct idt_entry){(u16)stub, KERNEL_CS, ist, 0x8e, (u16)(stub >> 16), (u32)(stub >> 32), 0};
    }
    pointer.limit = sizeof idt - 1;
    pointer.base = (u64)idt;
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void detect(void) {
    struct cpu_features *f = &cpu_features;
    struct cpuid c1 = cpuid(1, 0), c7 = {0};
    if (cpuid(0, 0).eax >= 7)
        c7 = cpuid(7, 0);
    f->xsave = c1.ecx >> 26 & 1;
    f->rdrand = c1.ecx >> 30 & 1;
    f->rdseed = c7.ebx >> 18 & 1;
    f->hypervisor = c1.ecx >> 31 & 1;
    if (f->hypervisor) {
        struct cpuid h = cpuid(0x40000000, 0);
        f->tcg = h.ebx == 0x54474354 && h.ecx == 0x43544743;     /* "TCGTCGTCGTCG" */
    }
}

/* Intel SDM 1, 13.3: x87, SSE, AVX and AVX-512 state; nothing that needs more set-up than a bit. */
static void enable_vector_unit(void) {
    struct cpu_features *f = &cpu_features;
    __asm__ volatile("fninit");
    u32 mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    f->fpu_size = 512;
    if (!f->xsave)
        return;
    u64 cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 1 << 18));
    struct cpuid d = cpuid(0xd, 0);
    u64 supported = (u64)d.edx << 32 | d.eax;
    f->xcr0 = supported & 7;
    if ((supported & 0xe0) == 0xe0 && (supported & 4))
        f->xcr0 |= 0xe0;
    __asm__ volatile("xsetbv" : : "c"(0), "a"((u32)f->xcr0), "d"((u32)(f->xcr0 >> 32)));
    f->fpu_size = cpuid(0xd, 0).ebx;            /* now the size for what XCR0 enables */
}

/* Entry 1 (PWT alone) becomes write-combining, for frame buffers; the rest is as after reset (SDM 3A, 12.12). */
static void set_up_pat(void) {
    if (cpuid(1, 0).edx >> 16 & 1)
        wrmsr(MSR_PAT, 0x0007040600070106);
}

void cpu_init(void) {
    set_up_pat();
    load_descriptors();
    boot_cpu.self = &boot_cpu;
    wrmsr(MSR_GS_BASE, (u64)&boot_cpu);
    detect();
    enable_vector_unit();
    /* SYSCALL loads CS and SS from STAR[47:32] whatever the ring it comes from. */
    wrmsr(MSR_STAR, (u64)KERNEL_CS << 32);
    wrmsr(MSR_LSTAR, (u64)syscall_entry);
    wrmsr(MSR_SFMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | RFLAGS_NT);
}

void fpu_init_context(void *area) {
    memset(area, 0, cpu_features.fpu_size);
    *(u16 *)area = 0x37f;                       /* FCW */
    *(u32 *)((u8 *)area + 24) = 0x1f80;         /* MXCSR */
    if (cpu_features.xsave)
        *(u64 *)((u8 *)area + 512) = 3;         /* XSTATE_BV: the legacy part is valid, the rest initial */
}

void fpu_save(void *area) {
    u32 lo = (u32)cpu_features.xcr0, hi = (u32)(cpu_features.xcr0 >> 32);
    /* Not XSAVEOPT: it leaves out what it takes to be in memory already, and signal frames change that. */
    if (cpu_features.xsave)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(lo), "d"(hi) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area) {
    u32 lo = (u32)cpu_features.xcr0, hi = (u32)(cpu_features.xcr0 >> 32);
    if (cpu_features.xsave)
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(lo), "d"(hi) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}
