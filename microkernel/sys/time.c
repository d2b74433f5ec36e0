/* Clocks, sleeping and interval timers. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "core/timer.h"
#include "fs/eventfd.h"
#include "mm/kmalloc.h"
#include "sys/calls.h"

enum {
    CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM, CLOCK_TAI = 11,
};
#define TIMER_ABSTIME 1

static bool is_wall(u64 clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI; }

u64 process_cpu_time(void) {
    u64 sum = process_exited_cpu_ns;
    list_for(l, &all_threads)
        sum += thread_cpu_time(list_item(l, struct thread, all_link));
    return sum;
}
u64 process_exited_cpu_ns;

static i64 read_clock(u64 clock, i64 *ns) {
    if (is_wall(clock))
        *ns = (i64)clock_now() + clock_wall_offset;
    else if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME || clock == CLOCK_BOOTTIME_ALARM)
        *ns = (i64)clock_now();
    else if (clock == CLOCK_PROCESS_CPUTIME_ID)
        *ns = (i64)process_cpu_time();
    else if (clock == CLOCK_THREAD_CPUTIME_ID)
        *ns = (i64)thread_cpu_time(current_thread());
    else if ((i32)clock < 0) {
        /* Of another thread or the process: ~tid << 3 | kind (pthread_getcpuclockid). */
        int tid = (int)(~(u32)clock >> 3);
        struct thread *t = (clock & 4) ? (tid ? thread_find(tid) : current_thread()) : NULL;
        if ((clock & 4 && !t) || (clock & 3) == 3 || (!(clock & 4) && tid > 1))
            return -EINVAL;
        *ns = (i64)(t ? thread_cpu_time(t) : process_cpu_time());
    } else {
        return -EINVAL;
    }
    return 0;
}

i64 sys_clock_gettime(u64 clock, u64 to) {
    i64 ns, error = read_clock(clock, &ns);
    if (error)
        return error;
    struct timespec t = timespec_of(ns);
    return copy_to_user(to, &t, sizeof t);
}

i64 sys_clock_getres(u64 clock, u64 to) {
    i64 ns, error = read_clock(clock, &ns);
    struct timespec one = {0, 1};
    return error || !to ? error : copy_to_user(to, &one, sizeof one);
}

i64 sys_clock_settime(u64 clock, u64 from) {
    struct timespec t;
    if (copy_from_user(&t, from, sizeof t))
        return -EFAULT;
    if (clock != CLOCK_REALTIME || t.sec < 0 || t.nsec < 0 || t.nsec >= (i64)NS_PER_SEC || t.sec > INT64_MAX / (i64)NS_PER_SEC - 1)
        return -EINVAL;
    clock_wall_offset = t.sec * (i64)NS_PER_SEC + t.nsec - (i64)clock_now();
    clock_fill_vdso(vdso_data_page());
    return 0;
}

i64 sys_gettimeofday(u64 to, u64 zone) {
    i64 us = ((i64)clock_now() + clock_wall_offset) / 1000;
    i64 t[2] = {us / 1000000, us % 1000000};
    i32 utc[2] = {0, 0};
    if (zone && copy_to_user(zone, utc, sizeof utc))
        return -EFAULT;
    return to ? copy_to_user(to, t, sizeof t) : 0;
}

i64 sys_time(u64 to) {
    i64 s = ((i64)clock_now() + clock_wall_offset) / (i64)NS_PER_SEC;
    return to && copy_to_user(to, &s, sizeof s) ? -EFAULT : s;
}

/* Further away than 285 years is as good as never. */
#define FARTHEST 9000000000ull

/* Monotonic time of a relative (from now) or absolute time. */
static i64 deadline_of(struct timespec t, bool absolute, bool wall, u64 *deadline) {
    if (t.nsec < 0 || t.nsec >= (i64)NS_PER_SEC || t.sec < 0)
        return -EINVAL;
    i64 ns = (i64)(min_u64((u64)t.sec, FARTHEST) * NS_PER_SEC) + t.nsec - (absolute && wall ? clock_wall_offset : 0);
    *deadline = (absolute ? 0 : clock_now()) + (ns < 0 ? 0 : (u64)ns);
    return 0;
}

i64 deadline_from_user(u64 from, bool absolute, bool wall, u64 *deadline) {
    struct timespec t;
    return copy_from_user(&t, from, sizeof t) ? -EFAULT : deadline_of(t, absolute, wall, deadline);
}

i64 sys_clock_nanosleep(u64 clock, u64 flags, u64 request, u64 remainder) {
    u64 deadline;
    bool absolute = flags & TIMER_ABSTIME;
    i64 ignored, error = read_clock(clock, &ignored);
    if (!error)
        error = deadline_from_user(request, absolute, is_wall(clock), &deadline);
    if (error)
        return error;
    int result;
    do
        result = thread_block(deadline);
    while (!result);
    if (result == -ETIMEDOUT)
        return 0;
    u64 now = clock_now();
    if (!absolute && remainder) {
        struct timespec left = timespec_of(deadline > now ? (i64)(deadline - now) : 0);
        if (copy_to_user(remainder, &left, sizeof left))
            return -EFAULT;
    }
    return absolute ? -ERESTARTNOHAND : -EINTR;
}

i64 sys_nanosleep(u64 request, u64 remainder) { return sys_clock_nanosleep(CLOCK_MONOTONIC, 0, request, remainder); }

/* ---- interval timers ---- */

struct timeval { i64 sec, usec; };
struct itimerval { struct timeval interval, value; };
static struct interval_timer {
    struct timer timer;
    u64 interval;
    int signal;
} interval_timers[3] = {{.signal = SIGALRM}, {.signal = SIGVTALRM}, {.signal = SIGPROF}};

/* Virtual and profiling time are counted in CPU time: on expiry of the wall time that must at least have
 * passed, look how much of it was used. */
static u64 cpu_deadline[3];

/* Nothing but handlers would run if signals came as fast as a program may ask for. */
#define SHORTEST_NS (50 * NS_PER_US)

static void interval_expired(struct timer *timer) {
    struct interval_timer *t = container_of(timer, struct interval_timer, timer);
    unsigned which = (unsigned)(t - interval_timers);
    u64 now = clock_now();
    if (which) {
        u64 used = process_cpu_time();
        if (used < cpu_deadline[which]) {
            timer_arm(timer, now + max_u64(cpu_deadline[which] - used, 100 * NS_PER_US));
            return;
        }
        cpu_deadline[which] = used + t->interval;
    }
    if (t->interval)
        timer_arm(timer, max_u64((which ? now : timer->deadline) + t->interval, now + SHORTEST_NS));
    signal_process_info(&(struct siginfo){.signo = t->signal, .code = SI_KERNEL});
}

static struct timeval timeval_of(u64 ns) { return (struct timeval){(i64)(ns / NS_PER_SEC), (i64)(ns % NS_PER_SEC / 1000)}; }

static struct itimerval interval_now(unsigned which) {
    struct interval_timer *t = &interval_timers[which];
    u64 base = which ? process_cpu_time() : clock_now(), end = which ? cpu_deadline[which] : t->timer.deadline;
    u64 left = !t->timer.armed ? 0 : end > base + 1000 ? end - base : 1000;
    return (struct itimerval){timeval_of(t->interval), timeval_of(left)};
}

static void interval_set(unsigned which, u64 value, u64 interval) {
    struct interval_timer *t = &interval_timers[which];
    timer_cancel(&t->timer);
    t->timer.fire = interval_expired;
    t->interval = interval;
    cpu_deadline[which] = process_cpu_time() + value;
    if (value)
        timer_arm(&t->timer, clock_now() + value);
}

i64 sys_getitimer(u64 which, u64 to) {
    if (which > 2)
        return -EINVAL;
    struct itimerval now = interval_now((unsigned)which);
    return copy_to_user(to, &now, sizeof now);
}

static bool valid(struct timeval t) { return t.sec >= 0 && t.usec >= 0 && t.usec < 1000000 && t.sec < (i64)FARTHEST; }
static u64 timeval_ns(struct timeval t) { return (u64)t.sec * NS_PER_SEC + (u64)t.usec * 1000; }

i64 sys_setitimer(u64 which, u64 from, u64 old) {
    struct itimerval new = {0};
    if (which > 2)
        return -EINVAL;
    struct itimerval before = interval_now((unsigned)which);
    if (from && copy_from_user(&new, from, sizeof new))
        return -EFAULT;
    if (!valid(new.interval) || !valid(new.value))
        return -EINVAL;
    if (old && copy_to_user(old, &before, sizeof before))
        return -EFAULT;
    interval_set((unsigned)which, timeval_ns(new.value), timeval_ns(new.interval));
    return 0;
}

i64 sys_alarm(u64 seconds) {
    struct itimerval before = interval_now(0);
    interval_set(0, (u32)seconds * NS_PER_SEC, 0);
    return before.value.sec + (before.value.usec > 0);
}

/* ---- timerfd ---- */

i64 sys_timerfd_create(u64 clock, u64 flags) {
    if (flags & ~(u64)(O_CLOEXEC | O_NONBLOCK) || !(is_wall(clock) || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == CLOCK_BOOTTIME_ALARM))
        return -EINVAL;
    struct file *f = timerfd_open(is_wall(clock), flags & O_NONBLOCK);
    return f ? fd_install(f, 0, flags & O_CLOEXEC) : -ENOMEM;
}

i64 sys_timerfd_settime(u64 fd, u64 flags, u64 from, u64 to) {
    struct itimerspec new, old;
    struct file *f = fd_file((int)fd);
    u64 at, interval;
    if (!f)
        return -EBADF;
    if (copy_from_user(&new, from, sizeof new))
        return -EFAULT;
    i64 error = timerfd_get(f, &old);
    if (error)
        return error;
    if (flags & ~3ull || deadline_of(new.value, flags & 1, timerfd_is_wall(f), &at) || deadline_of(new.interval, true, false, &interval))
        return -EINVAL;
    timerfd_set(f, new.value.sec || new.value.nsec ? max_u64(at, 1) : 0, interval);
    return to ? copy_to_user(to, &old, sizeof old) : 0;
}

i64 sys_timerfd_gettime(u64 fd, u64 to) {
    struct itimerspec now;
    struct file *f = fd_file((int)fd);
    if (!f)
        return -EBADF;
    i64 error = timerfd_get(f, &now);
    return error ? error : copy_to_user(to, &now, sizeof now);
}
