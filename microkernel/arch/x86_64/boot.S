/* From the loader (32-bit protected mode, paging off) to kernel_main in long mode.
 *
 * Two doors: PVH (Xen "HVM direct boot ABI": ebx = struct hvm_start_info) and multiboot2
 * (section 3.3: eax = magic, ebx = boot information). Both leave eax = which door and
 * ebx = physical address for kernel_main.
 */
#include "arch/x86_64/layout.h"

#define PHYS(symbol) ((symbol) - KERNEL_BASE)

/* ---- multiboot2 header (specification 2.0, section 3.1.2) ---- */
.section .multiboot2, "a"
.balign 8
mb2_header:
    .long 0xe85250d6
    .long 0                                     /* architecture: i386, protected mode */
    .long mb2_header_end - mb2_header
    .long -(0xe85250d6 + (mb2_header_end - mb2_header))
    /* entry address tag: our ELF entry is a higher-half address */
    .word 3, 0
    .long 12
    .long PHYS(boot_multiboot2)
    .balign 8
    /* module alignment tag: archives must begin on a page */
    .word 6, 0
    .long 8
    /* framebuffer tag, optional: any size, any depth */
    .word 5, 1
    .long 20
    .long 0, 0, 0
    .balign 8
    /* end tag */
    .word 0, 0
    .long 8
mb2_header_end:

/* ---- PVH note: XEN_ELFNOTE_PHYS32_ENTRY ---- */
.section .note.pvh, "a", @note
.balign 4
    .long 4
    .long 4
    .long 18
    .asciz "Xen"
    .long PHYS(boot_pvh)

.section .text.boot, "ax"
.code32
.globl boot_pvh
boot_pvh:
    movl $BOOT_PVH, %ebp
    jmp boot_common

.globl boot_multiboot2
boot_multiboot2:
    movl $BOOT_MULTIBOOT2, %ebp
    cmpl $0x36d76289, %eax
    je boot_common
    cli
1:  hlt
    jmp 1b

boot_common:
    cli
    cld
    movl $PHYS(boot_stack_top), %esp
    /* PML4[0] and PML4[511] give the first 4 GiB as identity and the first 1 GiB again at
     * KERNEL_BASE, all in 2 MiB pages; paging_init replaces this. */
    movl $PHYS(boot_pd), %edi
    xorl %ecx, %ecx
1:  movl %ecx, %eax
    shll $21, %eax
    orl $0x83, %eax                             /* present, writable, 2 MiB */
    movl %eax, (%edi, %ecx, 8)
    movl $0, 4(%edi, %ecx, 8)
    incl %ecx
    cmpl $2048, %ecx
    jne 1b
    movl $PHYS(boot_pd) + 3, %eax
    movl %eax, PHYS(boot_pdpt_low)
    movl %eax, PHYS(boot_pdpt_high) + 510 * 8
    addl $4096, %eax
    movl %eax, PHYS(boot_pdpt_low) + 8
    addl $4096, %eax
    movl %eax, PHYS(boot_pdpt_low) + 16
    addl $4096, %eax
    movl %eax, PHYS(boot_pdpt_low) + 24
    movl $PHYS(boot_pdpt_low) + 3, PHYS(boot_pml4)
    movl $PHYS(boot_pdpt_high) + 3, PHYS(boot_pml4) + 511 * 8

    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $0x6a0, %eax                           /* PAE, PGE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xc0000080, %ecx                      /* EFER: SCE, LME, NXE */
    rdmsr
    orl $0x901, %eax
    wrmsr
    movl $0x80010033, %eax                      /* PG, WP, NE, ET, MP, PE */
    movl %eax, %cr0
    lgdt PHYS(boot_gdt_pointer)
    ljmp $0x08, $PHYS(1f)
.code64
1:  movabsq $2f, %rax
    jmp *%rax
2:  movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    xorl %eax, %eax
    movw %ax, %fs
    movw %ax, %gs
    movq $boot_stack_top, %rsp
    movl %ebp, %edi
    movl %ebx, %esi
    xorl %ebp, %ebp
    call kernel_main
3:  cli
    hlt
    jmp 3b

.section .rodata
.balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff                    /* 0x08: 64-bit code */
    .quad 0x00cf93000000ffff                    /* 0x10: data */
boot_gdt_pointer:
    .word 3 * 8 - 1
    .quad PHYS(boot_gdt)

.section .bss
.balign 4096
boot_pml4:      .skip 4096
boot_pdpt_low:  .skip 4096
boot_pdpt_high: .skip 4096
boot_pd:        .skip 4 * 4096
.globl boot_stack
boot_stack:     .skip 16384
.globl boot_stack_top
boot_stack_top:
.section .note.GNU-stack, "", @progbits
