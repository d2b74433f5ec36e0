/*
 * Faults on purpose, and a handler that notes all that Linux tells of them and repairs what is wrong: part
 * of the checks' shared library, beside native.c.
 */
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;

struct action {
    u64 handler, flags, restorer, mask;
};
enum { SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_NODEFER = 0x40000000 };

static long call(long number, u64 a, u64 b, u64 c, u64 d)
{
    register u64 r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

/* What the handler saw: the fields of Fault in checks/faults.py. */
struct seen {
    u64 calls, number, code, address, trap, error, cr2, at, expected_at, local, stack_flags, mask_inside, changing_stack;
};
static struct seen *seen;
static u64 resume_at, nest;

/* Registers of struct sigcontext by index (asm/sigcontext.h), after flags, link and the stack. */
enum { R12 = 4, RAX = 13, RIP = 16, EFLAGS, SEGMENTS, ERROR, TRAP, OLD_MASK, CR2 };
#define REPAIRED 0x1234567890abcdefull

static void on_fault(int number, int32_t *info, u64 *context)
{
    u64 *g = context + 5, local, outer = resume_at, stack[3], good[3] = {(u64)&local - 8192, 0, 8192};

    seen->calls++;
    if (nest) {                                 /* and another one in here, on the same stack */
        nest--;
        __asm__ volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; ud2; 1:" : "=m"(resume_at) : : "rax", "r12", "memory");
        resume_at = outer;
    }
    seen->number = (u64)number;
    seen->code = (u64)(int64_t)info[2];
    seen->address = *(u64 *)(info + 4);
    seen->trap = g[TRAP];
    seen->error = g[ERROR];
    seen->cr2 = g[CR2];
    seen->at = g[RIP];
    seen->local = (u64)&local;
    call(131, 0, (u64)stack, 0, 0);
    seen->stack_flags = (uint32_t)stack[1];
    seen->changing_stack = (u64)call(131, (u64)good, 0, 0, 0);
    call(14, 0, 0, (u64)&seen->mask_inside, 8);
    g[RIP] = resume_at;
    g[R12] = REPAIRED;
}

__attribute__((naked)) static void restorer(void) { __asm__("mov $15, %eax; syscall; ud2"); }

enum kind { READ, WRITE, EXECUTE, DIVIDE, ILLEGAL, BREAKPOINT, PRIVILEGE, X87_DIVIDE };

#define FAULT(instructions)                                                                        \
    __asm__ volatile("lea 1f(%%rip), %%rax; mov %%rax, %[at]; lea 2f(%%rip), %%rax; mov %%rax, %[resume]\n\t"              \
                     "xor %%r12d, %%r12d\n\t" instructions "\n2: mov %%r12, %[repaired]"                                    \
                     : [at] "=m"(seen->expected_at), [resume] "=m"(resume_at), [repaired] "=r"(repaired)                    \
                     : [address] "D"(address) : "rax", "rcx", "rdx", "r12", "memory", "cc")

/* Provokes one fault of this kind: whether the handler's change of registers was kept. */
int provoke(u64 kind, u64 number, u64 flags, u64 address, u64 nested, struct seen *result)
{
    struct action mine = {(u64)on_fault, SA_SIGINFO | SA_RESTORER | flags, (u64)restorer, 0}, before, ud, plain = mine;
    u64 repaired = 0;
    uint16_t control = 0x37b, usual = 0x37f;    /* division by zero is not masked */

    seen = result;
    nest = nested;
    if (number != 4)
        plain.flags |= SA_NODEFER;              /* the ones inside each other are all of this kind */
    call(13, 4, (u64)&plain, (u64)&ud, 8);
    call(13, number, (u64)&mine, (u64)&before, 8);
    switch (kind) {
    case READ: FAULT("1: mov (%[address]), %%rax"); break;
    case WRITE: FAULT("1: movb $0, (%[address])"); break;
    case EXECUTE: FAULT("1: jmp *%[address]"); break;
    case DIVIDE: FAULT("xor %%ecx, %%ecx; mov $7, %%eax; cltd\n1: idiv %%ecx"); break;
    case ILLEGAL: FAULT("1: ud2"); break;
    case BREAKPOINT: FAULT("int3\n1:"); break;
    case PRIVILEGE: FAULT("mov $0x8000000000000000, %%rax\n1: mov (%%rax), %%rax"); break;
    case X87_DIVIDE:
        __asm__ volatile("fninit; fldcw %0" : : "m"(control));
        FAULT("fld1; fldz; fdivrp\n1: fwait");
        __asm__ volatile("fninit; fldcw %0" : : "m"(usual));
        break;
    }
    call(13, number, (u64)&before, 0, 8);
    if (number != 4)
        call(13, 4, (u64)&ud, 0, 8);
    return repaired == REPAIRED;
}
