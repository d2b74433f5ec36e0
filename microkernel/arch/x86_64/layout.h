/* Address map and constants shared by C, assembly and the linker script.
 *
 *   0000000000001000 .. 00007fffffffefff   the program: interpreter, heap, mappings, stacks
 *   ffff800000000000 .. ffffbfffffffffff   direct map of all physical memory (not executable)
 *   ffffc00000000000 .. ffffc07fffffffff   kernel stacks, each with a guard page below
 *   ffffd00000000000 .. ffffd07fffffffff   device memory (uncached)
 *   ffffffff80100000 ..                    the kernel image: text RX, constants R, data RW
 */
#pragma once

#define KERNEL_BASE 0xffffffff80000000
#define DIRECT_BASE 0xffff800000000000
#define KSTACK_BASE 0xffffc00000000000
#define MMIO_BASE   0xffffd00000000000
#define USER_START  0x1000
#define USER_END    0x7ffffffff000

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096
#define HUGE_SIZE  0x200000

#define BOOT_PVH        1
#define BOOT_MULTIBOOT2 2

#define KERNEL_CS 0x08
#define KERNEL_SS 0x10
#define TSS_SELECTOR 0x18

/* Interrupt stack table slots (Intel SDM 3A, 6.14.5). */
#define IST_DOUBLE_FAULT 1
#define IST_NMI          2
#define IST_EXCEPTION    3
#define IST_INTERRUPT    4

/* Offsets into struct cpu (core/cpu.h), checked there. */
#define CPU_KSTACK   8
#define CPU_USER_RSP 16

#define VECTOR_IRQ_BASE 32
#define VECTOR_TIMER    0xe0
#define VECTOR_SPURIOUS 0xff
