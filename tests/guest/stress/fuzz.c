/*
 * System calls at random: mostly plausible arguments, made from what each call expects, and a good share
 * of wild ones. Several threads run it on the same descriptors, files and memory, and get in each
 * other's way.
 *
 * What the kernel may be told to do without the program being to blame for its own end:
 * - it writes only into the OUT area, the map area and (lengths, flags) the IN area;
 * - structures that hold pointers are made here, in the IN area or the constants, never taken from what
 *   the kernel wrote, so that a result never becomes a pointer into the interpreter;
 * - names that are changed are relative ones of the fuzzer's own, in its own folder;
 * - descriptors 0 to 2 are only looked at;
 * - a call that waits is interrupted by signal PROD, which no mask given to the kernel contains.
 */
#include "fuzz.h"

struct world world;
volatile u64 fuzz_done[THREADS];                /* calls made, to be watched */
u64 fuzz_last[THREADS][8];                      /* number, arguments and result of each thread's last call */
volatile u64 fuzz_signals;
u64 fuzz_made[512], fuzz_succeeded[512];         /* by number */

struct state {
    u64 random;
    unsigned index;
    u64 in;                                     /* this thread's IN area */
};

#define R(n) below(&s->random, n)

/* ---- arguments ---- */

/* Addresses that no call may follow: kernel memory, holes, the ends of both halves, odd ones. */
static u64 wild(struct state *s)
{
    static const u64 fixed[] = {
        0, 0, 0, 1, 8, 0x10, 0xfff, 0x100000000000, 0x7fffffffffff, 0x7ffffffffff8, 0x800000000000, 0x7fffffffffffffff,
        0x8000000000000000, 0xffff7fffffffffff, 0xffff800000000000, 0xffff800000100000, 0xffffc00000001000,
        0xffffe00000000000, 0xffffffff80100000, 0xffffffff80200000, 0xffffffffffff0000, 0xfffffffffffff000,
        0xfffffffffffffff8, 0xffffffffffffffff,
    };
    switch (R(6)) {
    case 0:
        return world.none + R(PAGE);
    case 1:
        return next_random(&s->random) | 1ull << 63;
    case 2:
        return 0xffff800000000000 + R(1 << 28);
    case 3:
        return 0xffffffff80000000 + R(1 << 22);
    default:
        return fixed[R(sizeof fixed / sizeof *fixed)];
    }
}

static u64 in_map(struct state *s) { return world.map + R(MAP_SIZE / PAGE) * PAGE; }

/* Where results and bytes may go. */
static u64 out(struct state *s)
{
    switch (R(12)) {
    case 0:
        return wild(s);
    case 1:
        return world.out + OUT_SIZE - R(64);    /* the next page cannot be touched */
    case 2:
        return in_map(s) + (R(2) ? R(PAGE) : 0);
    case 3:
        return world.constants + R(PAGE);       /* read-only */
    case 4:
        return world.out + R(OUT_SIZE);
    default:
        return world.out + R(OUT_SIZE / 8) * 8;
    }
}

static u64 in(struct state *s) { return R(3) ? s->in + R(IN_SIZE / 16) * 16 : out(s); }

static u64 length(struct state *s)
{
    static const u64 edges[] = {0, 1, PAGE - 1, PAGE, PAGE + 1, 0x10000, OUT_SIZE + 1, 0x7fffffff, 0x80000000, 0xffffffff,
                                1ull << 32, 1ull << 40, 0x7ffffffffffff000, INT64_MAX, 1ull << 63, UINT64_MAX - 4095, UINT64_MAX};
    switch (R(8)) {
    case 0:
        return edges[R(sizeof edges / sizeof *edges)];
    case 1:
        return R(OUT_SIZE);
    case 2:
        return R(3 * PAGE);
    default:
        return R(256);
    }
}

static u64 offset(struct state *s)
{
    static const u64 edges[] = {1 << 20, 0x7fffffff, 0x80000000, 1ull << 40, 1ull << 62, INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 4095};
    return R(16) ? R(4) ? R(1 << 18) : R(64) * PAGE : edges[R(sizeof edges / sizeof *edges)];
}

static u64 descriptor(struct state *s)
{
    static const i64 odd[] = {-1, -2, 1023, 1024, 65535, 65536, INT32_MAX, INT32_MIN, 0x100000003};
    return R(32) ? FIRST_FD + R(DESCRIPTORS) : (u64)odd[R(sizeof odd / sizeof *odd)];
}

static u64 own_name(struct state *s) { return R(16) ? world.names + 256 * R(OWN_NAMES) : wild(s); }
static u64 any_name(struct state *s) { return R(8) ? own_name(s) : world.names + 256 * (OWN_NAMES + R(SYSTEM_NAMES)); }

static u64 some_bits(struct state *s)
{
    u64 bits = 0;
    for (u64 n = R(4); n; n--)
        bits |= 1ull << R(R(8) ? 24 : 64);
    return bits;
}

static u64 signal_number(struct state *s)
{
    /* Not the ones that report a fault, KILL, and the two of the C library; PROD is sent by the watchman. */
    static const u64 allowed = ~(1ull << 4 | 1ull << 5 | 1ull << 6 | 1ull << 7 | 1ull << 8 | 1ull << 9 | 1ull << 11 | 1ull << 32 |
                                 1ull << 33 | 1ull << PROD);
    u64 n = R(70);
    return n < 64 && !(allowed >> n & 1) ? SIGUSR1 : n >= 65 ? next_random(&s->random) | 1ull << 63 : n;
}

static u64 number_like(struct state *s)
{
    return R(4) ? R(16) : R(2) ? some_bits(s) : next_random(&s->random);
}

static u64 argument(struct state *s, char type)
{
    switch (type) {
    case 'f': return descriptor(s);
    case 'F': return FIRST_FD + R(DESCRIPTORS + 8);
    case 'd': return R(3) ? (u64)-100 : descriptor(s);
    case 'o': return out(s);
    case 'i': return in(s);
    case 'O': return R(3) ? 0 : out(s);
    case 'S': return R(12) ? s->in + R(IN_SIZE / 64) * 64 : R(2) ? wild(s) : world.constants + R(PAGE / 8) * 8;
    case 't': return R(4) ? world.times + 16 * R(TIMES) : R(2) ? 0 : in(s);
    case 'm': return R(4) ? world.masks + 8 * R(MASKS) : R(2) ? 0 : wild(s);
    case 'p': return own_name(s);
    case 'P': return any_name(s);
    case 'n': return length(s);
    case 'c': return R(24) ? R(17) : length(s);
    case 'l': return offset(s);
    case 'g': return R(2) ? 0 : some_bits(s);
    case 'v': return number_like(s);
    case 'a': return R(24) ? in_map(s) : wild(s);
    case 'A': return R(24) ? R(R(4) ? 16 * PAGE : MAP_SIZE) : length(s);
    case 'k': return R(8) ? R(2) ? world.out + R(4) * 4 : world.map + R(64) * 4 : wild(s);
    case 's': return signal_number(s);
    case 'T': return R(4) ? world.tids[R(THREADS)] : number_like(s);
    case 'w': return R(8) ? R(13) : number_like(s);
    case 'x': return R(4) ? world.pselects + 16 * R(MASKS) : 0;  /* the sixth argument of pselect6 */
    case 'e': return 8;                         /* the size of a signal set */
    case '1': return R(2);
    default: return 0;
    }
}

/* ---- structures that hold pointers, and others, made anew now and then ---- */

static void scribble(struct state *s)
{
    u64 *slot = (u64 *)s->in;
    for (unsigned i = 0; i < IN_SIZE / 64; i++, slot += 8) {
        switch (R(9)) {
        case 0:                                 /* iovec[4] */
            for (unsigned k = 0; k < 8; k += 2) {
                slot[k] = out(s);
                slot[k + 1] = length(s);
            }
            break;
        case 1:                                 /* msghdr, 56 bytes */
            slot[0] = R(2) ? 0 : out(s);
            slot[1] = R(64);
            slot[2] = s->in + R(IN_SIZE / 64) * 64;
            slot[3] = R(12) ? R(5) : length(s);
            slot[4] = R(2) ? 0 : s->in + R(IN_SIZE / 64) * 64;
            slot[5] = R(2) ? 24 : R(80);
            slot[6] = 0;
            break;
        case 2:                                 /* cmsghdr: SCM_RIGHTS with up to four descriptors */
            slot[0] = 16 + 4 * R(5);
            slot[1] = 1 | 1ull << 32;
            slot[2] = descriptor(s) | descriptor(s) << 32;
            slot[3] = descriptor(s) | descriptor(s) << 32;
            break;
        case 3:                                 /* pollfd[8] */
            for (unsigned k = 0; k < 8; k++)
                slot[k] = (u32)(R(8) ? descriptor(s) : R(3)) | R(0x4000) << 32;
            break;
        case 4:                                 /* fd_set */
            for (unsigned k = 0; k < 8; k++)
                slot[k] = 0;
            slot[0] = next_random(&s->random) & next_random(&s->random) & next_random(&s->random);
            break;
        case 5:                                 /* timeval, itimerspec and the like */
            for (unsigned k = 0; k < 4; k += 2) {
                slot[k] = R(8) ? 0 : R(2) ? R(3) : next_random(&s->random) | 1ull << 63;
                slot[k + 1] = R(8) ? R(4000000) : next_random(&s->random) | 1ull << 63;
            }
            break;
        case 6:                                 /* sockaddr_un: a path or an abstract name, of a byte */
            slot[0] = 1 | (R(2) ? 'a' + R(4) : R(3) << 8) << 16;
            slot[1] = 0;
            break;
        default:                                /* epoll_event and other small numbers */
            for (unsigned k = 0; k < 8; k++)
                slot[k] = R(2) ? R(4096) : next_random(&s->random) | 1ull << 63;
        }
    }
}

/* ---- the calls ---- */

static const struct {
    unsigned short number;
    unsigned char weight;
    char arguments[7];
} calls[] = {
#include "fuzz_calls.h"
};

/* A stretch of the map area or of the kernel's half, never of the program's own memory. */
static int confine_range(u64 *start, u64 size)
{
    if (*start < world.map || *start >= world.map + MAP_SIZE)
        *start |= 1ull << 63;
    return *start >> 63 || size <= world.map + MAP_SIZE - *start || size > 1ull << 48;
}

/* What must not be left to chance. False: do not make this call. */
static int confine(struct state *s, u64 number, u64 a[6])
{
    int is_system = a[0] >= world.names + 256 * OWN_NAMES && a[0] < world.names + 256 * (OWN_NAMES + SYSTEM_NAMES);

    switch (number) {
    case 257:                                   /* openat: the machine's own files for reading only */
        is_system = a[1] >= world.names + 256 * OWN_NAMES && a[1] < world.names + 256 * (OWN_NAMES + SYSTEM_NAMES);
        if (is_system)
            a[2] &= 0x210800;                   /* NONBLOCK, DIRECTORY, PATH */
        return 1;
    case 41:                                    /* socket: local ones; others need a network */
        a[0] = 1;
        return 1;
    case 42: case 49:
        a[2] = R(4) ? 4 : a[2];
        return 1;
    case 2:
        if (is_system)
            a[1] &= 0x210800;
        return 1;
    case 9:                                     /* mmap: over our own area, or wherever there is room */
        a[2] = R(8);
        a[3] = (R(4) ? 2 : R(5)) | (R(3) ? 0x20 : 0) | (R(2) ? 0x10 : R(8) ? 0 : 0x100000) | (R(8) ? 0 : 0x4000) | (R(16) ? 0 : some_bits(s));
        a[5] = R(4) ? R(16) * PAGE : offset(s);
        if (a[0] < world.map || a[0] + a[1] > world.map + MAP_SIZE || a[0] + a[1] < a[0])
            a[3] &= ~(u64)0x10;
        return 1;
    case 10: case 11: case 28: case 26: case 27: case 149:
        return confine_range(&a[0], a[1]);
    case 25:                                    /* mremap: a new place in our area as well */
        a[3] = R(8) ? R(4) : some_bits(s);
        if (!confine_range(&a[0], a[1]))
            return 0;
        a[2] = R(8) ? R(32 * PAGE) : length(s);
        return !(a[3] & 2) || confine_range(&a[4], a[2]);
    case 12:                                    /* brk: the heap is the C library's */
        a[0] = R(2) ? 0 : 1ull << (46 + R(18));
        return 1;
    case 13:                                    /* rt_sigaction: queued signals must not pile up their frames */
        a[1] = R(2) ? 0 : R(4) ? world.actions + 32 * R(a[0] < 32 ? ACTIONS : ACTIONS - NESTING_ACTIONS) : wild(s);
        return 1;
    case 131:                                   /* sigaltstack */
        a[0] = R(2) ? 0 : R(4) ? world.altstacks + 24 * s->index : wild(s);
        return 1;
    case 158:                                   /* arch_prctl: the thread's pointer stays what it is */
        a[0] = 0x1000 + R(8);
        if (a[0] == 0x1002)
            a[1] |= 1ull << 63;
        return 1;
    case 144:                                   /* sched_setscheduler: a real-time thread may starve the others */
        return (a[1] & 0xff) - 1 > 1;
    case 285:                                   /* fallocate: filling the whole memory takes a while */
        a[3] = R(64) ? a[3] & 0xfffff : a[3];
        return 1;
    case 302:                                   /* prlimit64: the number of descriptors stays */
        a[2] = a[1] == 7 ? 0 : a[2];
        return 1;
    case 436:                                   /* close_range */
        a[1] = R(4) ? a[0] + R(4) : number_like(s);
        return a[0] >= FIRST_FD;
    case 133: case 259:                         /* mknod: no devices but null and zero */
        a[number == 133 ? 1 : 2] = (R(2) ? 0010000 : R(4) ? R(16) << 12 : 0020000) | R(01000);
        a[number == 133 ? 2 : 3] = 1 << 8 | (R(2) ? 3 : 5);
        return 1;
    case 0x4f5600 + 1:
        return 0;
    }
    return 1;
}

static u64 pick_number(struct state *s)
{
    /* Not what changes mappings, which must stay within bounds; nor rt_sigreturn, clone, exit, set_tid_address, exit_group, clone3 (below, or in tests of their own). */
    static const unsigned short barred[] = {9, 10, 11, 25, 28, 15, 56, 60, 218, 231, 435};
    for (;;) {
        u64 number = R(2) ? R(512) : next_random(&s->random);
        unsigned i = 0;
        while (i < sizeof barred / sizeof *barred && barred[i] != number)
            i++;
        if (i == sizeof barred / sizeof *barred && number - 0x4f5600 >= 0x100)
            return number;
    }
}

/* A thread that ends at once, with numbers for the kernel to store in all sorts of places. */
static i64 make_thread(struct state *s)
{
    u64 everything = ~0ull, before = 0;
    u64 flags = 0x10f00 | 0x40000 | (R(2) ? 0x80000 : 0) | (R(2) ? 0x100000 : 0) | (R(2) ? 0x200000 : 0) | (R(2) ? 0x1000000 : 0);
    register u64 r10 __asm__("r10") = out(s);   /* where the thread's number is cleared */
    register u64 r8 __asm__("r8") = R(2) ? wild(s) : world.out;
    register u64 r12 __asm__("r12") = out(s);
    i64 result;

    if (!R(8))
        flags = some_bits(s) & ~0x10000ull;     /* a process: refused */
    raw(14, 2, (u64)&everything, (u64)&before, 8, 0, 0);
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %%r12, %%rdi\n\t"
                     "mov $218, %%eax\n\t"      /* set_tid_address */
                     "syscall\n\t"
                     "xor %%edi, %%edi\n\t"
                     "mov $60, %%eax\n\t"
                     "syscall\n\t"
                     "ud2\n\t"
                     "1:"
                     : "=a"(result)
                     : "a"(56), "D"(flags), "S"(world.child_stacks + (s->index + 1) * PAGE), "d"(out(s)), "r"(r10), "r"(r8), "r"(r12)
                     : "rcx", "r11", "memory");
    raw(14, 2, (u64)&before, 0, 8, 0, 0);
    return result;
}

static void call_something(struct state *s, u64 *last)
{
    u64 a[6], number;

    for (;;) {
        unsigned i = (unsigned)R(sizeof calls / sizeof *calls);
        if (calls[i].weight <= R(16))
            continue;
        number = calls[i].number;
        for (unsigned k = 0; k < 6; k++)
            a[k] = k < 6 && calls[i].arguments[k] ? argument(s, calls[i].arguments[k]) : number_like(s);
        if (!R(64)) {
            number = pick_number(s);
            /* Any call at all, but with nothing to follow or to change, the standard streams included. */
            for (unsigned k = 0; k < 6; k++) {
                a[k] = R(2) ? wild(s) : ~R(4096);
                if ((u32)a[k] < FIRST_FD)
                    a[k] += FIRST_FD;
            }
        } else if (!confine(s, number, a)) {
            continue;
        }
        break;
    }
    last[0] = number;
    for (unsigned k = 0; k < 6; k++)
        last[1 + k] = a[k];
    i64 result = number == 56 && a[0] != 1ull << 63 ? make_thread(s) : raw(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    last[7] = (u64)result;
    fuzz_made[number & 511] += number < 512;
    fuzz_succeeded[number & 511] += number < 512 && result >= 0;
    u64 place = (u64)result, size = number == 9 ? a[1] : a[2];
    if ((number == 9 || number == 25) && result > 0 && (place < world.base || place >= world.end))
        raw(11, place, (size + PAGE - 1) & ~(PAGE - 1ull), 0, 0, 0, 0);
}

/* Signal frames need stack that is there: other threads fill the memory with files. */
__attribute__((noinline)) static void touch_stack(void)
{
    volatile uint8_t room[ALTSTACK_SIZE];

    for (u64 i = 0; i < sizeof room; i += PAGE)
        room[i] = 0;
}

/* While calls are made nobody else may ask for memory: holes in the map area are not the fuzzer's own. */
static u64 started, ended;

static void meet(u64 *here, u64 threads)
{
    u64 turn = __atomic_add_fetch(here, 1, __ATOMIC_SEQ_CST);
    u64 all = (turn + threads - 1) / threads * threads;

    u64 pause[2] = {0, 1000000};

    while (__atomic_load_n(here, __ATOMIC_SEQ_CST) < all)
        raw(35, (u64)pause, 0, 0, 0, 0, 0);
}

void fuzz_thread(u64 seed, u64 index, u64 threads, u64 count)
{
    struct state state = {seed * 0x9e3779b97f4a7c15ull + index * 0xd1b54a32d192ed03ull + 1, (unsigned)index, world.in + index * IN_SIZE}, *s = &state;
    u64 none = 0, all = ~0ull;

    touch_stack();
    meet(&started, threads);
    for (int i = 0; i < 16; i++)
        next_random(&s->random);
    world.tids[index] = (u64)raw(186, 0, 0, 0, 0, 0, 0);
    raw(14, 2, (u64)&none, 0, 8, 0, 0);
    for (u64 n = 0; n < count; n++) {
        if (n % 256 == 0)
            scribble(s);
        call_something(s, fuzz_last[index]);
        fuzz_done[index] = n + 1;
    }
    raw(14, 2, (u64)&all, 0, 8, 0, 0);
    world.tids[index] = 0;
    meet(&ended, threads);
    fuzz_settle();
}

/* Interrupts calls that wait: every two milliseconds those threads that have not come further. */
void fuzz_watchman(volatile uint8_t *stop)
{
    u64 seen[THREADS] = {0}, pause[2] = {0, 2000000};

    while (!*stop) {
        raw(35, (u64)pause, 0, 0, 0, 0, 0);
        for (unsigned i = 0; i < THREADS; i++) {
            if (world.tids[i] && fuzz_done[i] == seen[i])
                raw(234, 1, world.tids[i], PROD, 0, 0, 0);
            seen[i] = fuzz_done[i];
        }
    }
}
