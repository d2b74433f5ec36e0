/* Raw system calls for the stress programs, which must not depend on what the C library does around them. */
#ifndef STRESS_NATIVE_H
#define STRESS_NATIVE_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef int64_t i64;
typedef uint32_t u32;

static inline i64 raw(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;
    register u64 r9 __asm__("r9") = f;
    i64 result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* xorshift64*: small, and the same sequence everywhere. */
static inline u64 next_random(u64 *state)
{
    u64 x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dull;
}

static inline u64 below(u64 *state, u64 limit) { return (next_random(state) >> 16) % limit; }

/* The kernel's struct sigaction and sigset_t (64 signals). */
struct kernel_action {
    u64 handler, flags, restorer, mask;
};
enum { SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000, SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000 };

#endif
