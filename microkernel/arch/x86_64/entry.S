/* The doors into the kernel: system calls, exceptions, interrupts; and the ways out.
 *
 * The program above runs in ring 0 like us. What tells them apart is the instruction pointer.
 */
#include "arch/x86_64/layout.h"

.macro PUSH_REGS
    .irp register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
    pushq %\register
    .endr
.endm

.macro POP_REGS
    .irp register, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
    popq %\register
    .endr
.endm

.text

/* SYSCALL: rcx = return address, r11 = flags, interrupts off (SFMASK), the stack still the caller's.
 * Nothing may be pushed before rsp is ours: the caller's red zone is live. */
.globl syscall_entry
syscall_entry:
    movq %rsp, %gs:CPU_USER_RSP
    movq %gs:CPU_KSTACK, %rsp
    pushq $KERNEL_SS
    pushq %gs:CPU_USER_RSP
    pushq %r11                                  /* rflags */
    pushq $KERNEL_CS
    pushq %rcx                                  /* rip */
    pushq $0                                    /* error */
    pushq $-1                                   /* vector: a system call */
    pushq %rax                                  /* orig_rax */
    PUSH_REGS
    movq %rsp, %rdi
    movq %rsp, %rbp                             /* the frame, for the way out; C preserves it */
    call syscall_dispatch
    testl %eax, %eax
    jnz return_full
    /* Nothing to do but return: C kept rbx, r12-r15; give back what it may have changed.
     * SYSRET would land in ring 3, so: flags, stack, jump. */
    movq %rbp, %rsp
    movq 4*8(%rsp), %rbp
    movq 14*8(%rsp), %rax
    movq 12*8(%rsp), %rdx
    movq 11*8(%rsp), %rsi
    movq 10*8(%rsp), %rdi
    movq 9*8(%rsp), %r8
    movq 8*8(%rsp), %r9
    movq 7*8(%rsp), %r10
    movq 18*8(%rsp), %rcx
    movq 20*8(%rsp), %r11
    addq $20*8, %rsp
    popfq                                       /* interrupts may come from here on */
.globl syscall_exit_window
syscall_exit_window:
    movq (%rsp), %rsp
    jmp *%rcx
.globl syscall_exit_window_end
syscall_exit_window_end:

/* Every register from the frame at rsp, interrupts as the frame says, in one instruction. */
.globl return_full
return_full:
    movq %rbp, %rsp
.globl return_from_frame
return_from_frame:
    POP_REGS
    addq $24, %rsp                              /* orig_rax, vector, error */
    iretq

/* void enter_frame(struct frame *f): the first step of a new thread. */
.globl enter_frame
enter_frame:
    movq %rdi, %rsp
    jmp return_from_frame

/* One stub per vector: a uniform frame, then the common path. */
.balign 16
.globl trap_stubs
trap_stubs:
.set vector, 0
.rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    jmp trap_common
    .set vector, vector + 1
.endr
    .balign 16

trap_common:
    pushq $-1                                   /* orig_rax: no system call */
    PUSH_REGS
    cld
    /* Ours is what lies in the kernel's text; a wild jump of the program's may lead anywhere else. */
    movq 18*8(%rsp), %rax                       /* rip */
    subq $kernel_headers, %rax
    cmpq $kernel_text_size, %rax
    jb 1f
    /* From the program: leave the interrupt stack, so that the handler may block and switch. */
    movq %rsp, %rsi
    movq %gs:CPU_KSTACK, %rdi
    subq $23*8, %rdi
    movq %rdi, %rsp
    movl $23, %ecx
2:  movq (%rsi), %rax
    movq %rax, (%rdi)
    addq $8, %rsi
    addq $8, %rdi
    decl %ecx
    jnz 2b
    movq %rsp, %rdi
    movq %rsp, %rbp
    call trap_from_program
    jmp return_full
1:  /* From the kernel: stay here, never block. */
    movq %rsp, %rdi
    movq %rsp, %rbp
    call trap_from_kernel
    jmp return_full

/* void switch_stacks(u64 *save_rsp, u64 load_rsp): the rest of a context switch is C. */
.globl switch_stacks
switch_stacks:
    .irp register, rbp, rbx, r12, r13, r14, r15
    pushq %\register
    .endr
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    .irp register, r15, r14, r13, r12, rbx, rbp
    popq %\register
    .endr
    ret

/* Where a new thread's first switch_stacks returns to: its frame lies right above. */
.globl thread_start
thread_start:
    call thread_started
    movq %rsp, %rbp
    jmp return_full

/* size_t user_copy_raw(void *to, const void *from, size_t n): bytes NOT copied (0 = all).
 * A fault on either side ends the copy (exception table). */
.macro EXTABLE from, to
    .pushsection .extable, "a"
    .quad \from, \to
    .popsection
.endm

.globl user_copy_raw
user_copy_raw:
    movq %rdx, %rcx
    shrq $5, %rcx
    jz 2f
1:  movq (%rsi), %rax
3:  movq 8(%rsi), %r8
4:  movq 16(%rsi), %r9
5:  movq 24(%rsi), %r10
6:  movq %rax, (%rdi)
7:  movq %r8, 8(%rdi)
8:  movq %r9, 16(%rdi)
9:  movq %r10, 24(%rdi)
    addq $32, %rsi
    addq $32, %rdi
    subq $32, %rdx
    decq %rcx
    jnz 1b
2:  testq %rdx, %rdx
    jz 12f
10: movb (%rsi), %al
11: movb %al, (%rdi)
    incq %rsi
    incq %rdi
    decq %rdx
    jnz 10b
12: movq %rdx, %rax
    ret
user_copy_tail:                                 /* a fault in the wide loop: find the exact byte */
    jmp 10b
    .irp place, 1b, 3b, 4b, 5b, 6b, 7b, 8b, 9b
    EXTABLE \place, user_copy_tail
    .endr
    EXTABLE 10b, 12b
    EXTABLE 11b, 12b

/* bool rdmsr_safe(u32 msr, u64 *value); bool wrmsr_safe(u32 msr, u64 value) */
.globl rdmsr_safe
rdmsr_safe:
    movl %edi, %ecx
1:  rdmsr
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, (%rsi)
    movl $1, %eax
    ret
2:  xorl %eax, %eax
    ret
    EXTABLE 1b, 2b

.globl wrmsr_safe
wrmsr_safe:
    movl %edi, %ecx
    movl %esi, %eax
    movq %rsi, %rdx
    shrq $32, %rdx
1:  wrmsr
    movl $1, %eax
    ret
2:  xorl %eax, %eax
    ret
    EXTABLE 1b, 2b

.section .note.GNU-stack, "", @progbits
