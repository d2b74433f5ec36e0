/* Who and where we are: names, limits, identities (root, always), usage, random bytes. */
#include "core/boot_info.h"
#include "core/clock.h"
#include "core/entropy.h"
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "mm/pmm.h"
#include "mm/vm.h"
#include "sys/calls.h"

static char hostname[65] = "ovum";

void system_init(void) {
    size_t n;
    const char *name = boot_option("ovum.hostname", &n);
    if (name && n && n < sizeof hostname) {
        memset(hostname, 0, sizeof hostname);
        memcpy(hostname, name, n);
    }
}

i64 sys_uname(u64 to) {
    /* "Linux", 6.x: what wheels and libraries look for to choose their Linux ways. */
    static const char *const fields[6] = {"Linux", hostname, "6.12.0-ovum", "#1 ovum", "x86_64", "(none)"};
    char text[6][65] = {{0}};
    for (int i = 0; i < 6; i++)
        memcpy(text[i], fields[i], strlen(fields[i]) + 1);
    return copy_to_user(to, text, sizeof text);
}

i64 sys_sethostname(u64 from, u64 n) {
    char name[65] = {0};
    if (n > 64)
        return -EINVAL;
    if (copy_from_user(name, from, n))
        return -EFAULT;
    memcpy(hostname, name, sizeof hostname);
    return 0;
}

i64 sys_getrandom(u64 to, u64 n, u64 flags) {
    u8 piece[256];
    u64 done = 0;
    if (flags & ~7ull)
        return -EINVAL;
    while (done < n) {
        size_t now = min_u64(n - done, sizeof piece);
        entropy_bytes(piece, now);
        if (copy_to_user(to + done, piece, now))
            return done ? (i64)done : -EFAULT;
        done += now;
        if (!(done & 0xffff))
            preemption_point();
    }
    return (i64)done;
}

/* ---- limits ---- */

struct rlimit { u64 current, maximum; };
#define UNLIMITED UINT64_MAX
#define LIMITS 16
enum { RLIMIT_STACK = 3, RLIMIT_CORE = 4, RLIMIT_NOFILE = 7 };
static struct rlimit limits[LIMITS] = {
    [0 ... 2] = {UNLIMITED, UNLIMITED},
    [RLIMIT_STACK] = {8 << 20, UNLIMITED},
    [RLIMIT_CORE] = {0, UNLIMITED},
    [5 ... 6] = {UNLIMITED, UNLIMITED},
    [RLIMIT_NOFILE] = {1024, FD_LIMIT},
    [8 ... LIMITS - 1] = {UNLIMITED, UNLIMITED},
};

i64 sys_prlimit64(u64 pid, u64 which, u64 new, u64 old) {
    struct rlimit after;
    if (pid && pid != PROCESS_ID)
        return -ESRCH;
    if (which >= LIMITS)
        return -EINVAL;
    if (new && copy_from_user(&after, new, sizeof after))
        return -EFAULT;
    if (new && after.current > after.maximum)
        return -EINVAL;
    if (new && which == RLIMIT_NOFILE && after.maximum > FD_LIMIT)
        return -EPERM;
    if (old && copy_to_user(old, &limits[which], sizeof limits[which]))
        return -EFAULT;
    if (new)
        limits[which] = after;
    if (new && which == RLIMIT_NOFILE)
        fd_limit = (u32)after.current;
    return 0;
}

/* ---- usage ---- */

i64 sys_sysinfo(u64 to) {
    struct { i64 uptime; u64 loads[3], total, free, shared, buffers, swap, free_swap; u16 processes, pad; u32 pad2; u64 high, free_high; u32 unit; u8 fill[4]; } s = {0};
    struct pmm_statistics m = pmm_statistics();
    s.uptime = (i64)(clock_now() / NS_PER_SEC);
    s.total = m.total * PAGE_SIZE;
    s.free = m.free * PAGE_SIZE;
    s.processes = (u16)thread_count;
    s.unit = 1;
    return copy_to_user(to, &s, 112);
}

i64 sys_getrusage(u64 who, u64 to) {
    struct { i64 user[2], system[2], maxrss, rest[13]; } r = {0};
    if ((i32)who != 0 && (i32)who != 1 && (i32)who != -1)
        return -EINVAL;
    u64 ns = (i32)who == -1 ? 0 : (i32)who == 1 ? thread_cpu_time(current_thread()) : process_cpu_time();
    r.user[0] = (i64)(ns / NS_PER_SEC);
    r.user[1] = (i64)(ns % NS_PER_SEC / 1000);
    r.maxrss = (i64)vm_statistics().resident * 4;
    return copy_to_user(to, &r, sizeof r);
}

/* The unit of times(2): a hundredth of a second. */
i64 sys_times(u64 to) {
    u64 tick = NS_PER_SEC / 100;
    i64 t[4] = {(i64)(process_cpu_time() / tick), 0, 0, 0};
    return to && copy_to_user(to, t, sizeof t) ? -EFAULT : (i64)(clock_now() / tick);
}

/* ---- identities ---- */

i64 sys_getresuid(u64 a, u64 b, u64 c) {
    u32 zero = 0;
    return copy_to_user(a, &zero, 4) || copy_to_user(b, &zero, 4) || copy_to_user(c, &zero, 4) ? -EFAULT : 0;
}

static i64 become(u64 id) { return (u32)id == 0 || (u32)id == UINT32_MAX ? 0 : -EPERM; }
i64 sys_setuid(u64 id) { return (u32)id == UINT32_MAX ? -EINVAL : become(id); }
i64 sys_setresuid(u64 a, u64 b, u64 c) { return become(a) | become(b) | become(c); }

static i64 target(u64 which, u64 who) { return which > 2 ? -EINVAL : who > PROCESS_ID && !thread_find((int)who) ? -ESRCH : 0; }
i64 sys_getpriority(u64 which, u64 who) { return target(which, who) ?: 20; }
i64 sys_setpriority(u64 which, u64 who) { return target(which, who); }
