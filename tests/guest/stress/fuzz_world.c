/* The fuzzer's surroundings: memory of all kinds, names, constants, signal handlers. */
#include "fuzz.h"

static const char *const names[OWN_NAMES + SYSTEM_NAMES] = {
    "a", "b", "c", "d", "d/a", "d/b", "d/d", "d/d/d", "link", "link/a", "loop", "./a", "d/../b", "fifo", "d/fifo", "a/b", ".", "d/", "",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345",
    "/dev/null", "/dev/zero", "/dev/urandom", "/dev/full", "/dev", "/", "/etc", "/proc/self/maps", "/usr/lib", "/no/such", "/tmp/..", "..",
};

#define TIME_VALUES {{0, 0}, {0, 1}, {0, 100000}, {0, 1000000}, {0, 3000000}, {-1, 0}, {0, 1000000000}, {INT64_MAX, 999999999}}
static const i64 times[TIMES][2] = TIME_VALUES;

static void on_signal(int number, void *info, void *context);
__attribute__((naked)) static void restorer(void) { __asm__("mov $15, %eax; syscall; ud2"); }

/* struct ucontext: flags, link, stack (24 bytes), then the registers; eflags and the pointer to the
 * vector state are numbers 17 and 23 of those (asm/sigcontext.h). */
static void on_signal(int number, void *info, void *context)
{
    u64 *registers = (u64 *)context + 5, *fpu = (u64 *)registers[23];
    static u64 random = 88172645463325252ull;

    (void)number;
    (void)info;
    fuzz_signals++;
    if (below(&random, 4))
        return;
    /* A frame that only a fool or an attacker would return from, but for what this code itself needs. */
    registers[17] = (registers[17] & 0x700) | (next_random(&random) & ~0x700ull);
    registers[18] = next_random(&random);       /* cs, gs, fs, ss */
    for (int i = 19; i < 23; i++)
        registers[i] = next_random(&random);
    for (u64 n = below(&random, 8); fpu && n; n--)
        fpu[below(&random, 576 / 8)] = next_random(&random);
}

static void *at(u64 address) { return (void *)address; }

static u64 take(u64 *next, u64 size)
{
    u64 here = *next;

    *next = here + ((size + 2 * PAGE - 1) & ~(PAGE - 1ull));  /* and a page that cannot be touched */
    raw(10, here, size, 3, 0, 0, 0);
    return here;
}

/* False without memory. */
int fuzz_prepare(void)
{
    u64 size = MAP_SIZE + THREADS * (ALTSTACK_SIZE + PAGE) + (4 << 20), next;
    i64 base = raw(9, 0, size, 0, 0x22, (u64)-1, 0);   /* promised when it becomes accessible */

    if (base < 0)
        return 0;
    world.base = next = (u64)base;
    world.end = world.base + size;
    world.out = take(&next, OUT_SIZE);
    world.in = take(&next, IN_SIZE * THREADS);
    world.child_stacks = take(&next, PAGE * THREADS);
    u64 altstacks[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        altstacks[i] = take(&next, ALTSTACK_SIZE);
    world.constants = take(&next, 5 * PAGE);
    world.none = next;
    world.map = next + PAGE;
    raw(10, world.map, MAP_SIZE / 2, 3, 0, 0, 0);

    u64 free = world.constants;
    i64 (*t)[2] = at(world.times = free);
    for (unsigned i = 0; i < TIMES; i++) {
        t[i][0] = times[i][0];
        t[i][1] = times[i][1];
    }
    u64 *mask = at(world.masks = free + sizeof times);
    for (unsigned i = 0; i < MASKS; i++)
        mask[i] = i ? 0x0123456789abcdefull * i & ~(1ull << (PROD - 1)) & ~0x5f8ull : 0;
    struct kernel_action *action = at(world.actions = free + 512);
    for (unsigned i = 0; i < ACTIONS; i++)
        action[i] = (struct kernel_action){
            i ? (u64)on_signal : 1, SA_RESTORER | (i & 1 ? SA_SIGINFO : 0) | (i & 2 ? SA_RESTART : 0) |
            (i & 4 ? SA_ONSTACK : 0) | (i >= ACTIONS - NESTING_ACTIONS ? SA_NODEFER : 0), (u64)restorer, mask[i]};
    u64 *stack = at(world.altstacks = free + 1024);
    for (unsigned i = 0; i < THREADS; i++) {
        *stack++ = altstacks[i];
        *stack++ = 0;
        *stack++ = ALTSTACK_SIZE;
    }
    u64 *select = at(world.pselects = free + 1536);
    for (unsigned i = 0; i < MASKS; i++) {
        *select++ = world.masks + 8 * i;
        *select++ = i == 3 ? 16 : 8;
    }
    world.names = free + 2048;
    for (unsigned i = 0; i < OWN_NAMES + SYSTEM_NAMES; i++) {
        char *to = at(world.names + 256 * i);
        for (unsigned k = 0; names[i][k]; k++)
            to[k] = names[i][k];
    }
    raw(10, world.constants, 5 * PAGE, 1, 0, 0, 0);
    return 1;
}

/* Handlers for all signals that the fuzzer sends or a timer of its may raise: the default would end it. */
void fuzz_handle_signals(void)
{
    struct kernel_action plain = {(u64)on_signal, SA_RESTORER | SA_SIGINFO, (u64)restorer, 0};

    for (u64 number = 1; number <= 64; number++)
        if (!(0x9f0ull >> number & 1) && number != 9 && number != 11 && number != 19 && number != 32 && number != 33)
            raw(13, number, (u64)&plain, 0, 8, 0, 0);
}

/* Back to what Python may run with: no timers, no stack for signals, the vector unit as the ABI has it. */
void fuzz_settle(void)
{
    u64 nothing[4] = {0}, stack[3] = {0, 2, 0};
    u32 mxcsr = 0x1f80;

    for (u64 which = 0; which < 3; which++)
        raw(38, which, (u64)nothing, 0, 0, 0, 0);
    raw(131, (u64)stack, 0, 0, 0, 0, 0);
    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

void fuzz_release(void) { raw(11, world.base, world.end - world.base, 0, 0, 0, 0); }
