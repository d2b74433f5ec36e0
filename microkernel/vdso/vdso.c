/* The vDSO: clock functions that need no system call. Linked on its own, mapped into the program behind
 * the page that holds vdso_data; found by glibc through AT_SYSINFO_EHDR and these names. */
#include "core/vdso_data.h"

extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

struct timespec { int64_t sec, nsec; };
struct timeval { int64_t sec, usec; };
#define NS_PER_SEC 1000000000ull
#define EXPORT __attribute__((visibility("default")))

EXPORT int __vdso_clock_gettime(int clock, struct timespec *to);
EXPORT int __vdso_gettimeofday(struct timeval *to, void *zone);
EXPORT int64_t __vdso_time(int64_t *to);
EXPORT int __vdso_clock_getres(int clock, struct timespec *to);

static inline uint64_t monotonic(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    uint64_t ticks = ((uint64_t)high << 32 | low) - vdso_data.tsc_start;
    return (uint64_t)((unsigned __int128)ticks * vdso_data.scale >> 32);
}

static long kernel(long number, long a, long b) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

int __vdso_clock_gettime(int clock, struct timespec *to) {
    uint64_t ns;
    switch (clock) {
    case 1: case 4: case 6: case 7:             /* MONOTONIC, its RAW and COARSE forms, BOOTTIME */
        ns = monotonic();
        break;
    case 0: case 5: case 11:                    /* REALTIME, COARSE, TAI */
        ns = monotonic() + (uint64_t)vdso_data.wall_offset;
        break;
    default:
        return (int)kernel(228, clock, (long)to);
    }
    to->sec = (int64_t)(ns / NS_PER_SEC);
    to->nsec = (int64_t)(ns % NS_PER_SEC);
    return 0;
}

int __vdso_gettimeofday(struct timeval *to, void *zone) {
    if (zone)
        return (int)kernel(96, (long)to, (long)zone);
    uint64_t ns = monotonic() + (uint64_t)vdso_data.wall_offset;
    to->sec = (int64_t)(ns / NS_PER_SEC);
    to->usec = (int64_t)(ns % NS_PER_SEC / 1000);
    return 0;
}

int64_t __vdso_time(int64_t *to) {
    int64_t s = (int64_t)((monotonic() + (uint64_t)vdso_data.wall_offset) / NS_PER_SEC);
    if (to)
        *to = s;
    return s;
}

int __vdso_clock_getres(int clock, struct timespec *to) { return (int)kernel(229, clock, (long)to); }
