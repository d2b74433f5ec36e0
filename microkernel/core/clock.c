/* The monotonic clock is the time stamp counter scaled to nanoseconds. Its rate comes, in this order, from
 * the command line, from CPUID, or from a comparison with the 8254 timer (docs/boot-protocol.md). */
#include "core/clock.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "core/boot_info.h"
#include "core/log.h"
#include "core/thread.h"
#include "core/vdso_data.h"

i64 clock_wall_offset;

static u64 tsc_start, tsc_khz;
/* ns = ticks * scale >> 32: exact to 2^-32, and no overflow in 128 bits. */
static u64 scale;

u64 clock_tsc_khz(void) { return tsc_khz; }

static u64 ticks_to_ns(u64 ticks) { return (u64)((unsigned __int128)ticks * scale >> 32); }
u64 clock_now(void) { return ticks_to_ns(rdtsc() - tsc_start); }

/* ---- rate ---- */

static u64 khz_from_cpuid(void) {
    u32 max = cpuid(0, 0).eax;
    if (max >= 0x15) {
        struct cpuid c = cpuid(0x15, 0);
        if (c.eax && c.ebx && c.ecx)
            return (u64)c.ecx * c.ebx / c.eax / 1000;
    }
    if (cpu_features.hypervisor && cpuid(0x40000000, 0).eax >= 0x40000010)
        return cpuid(0x40000010, 0).eax;        /* "TSC frequency in kHz", VMware's leaf, KVM gives it too */
    return 0;
}

enum { PIT_CHANNEL2 = 0x42, PIT_COMMAND = 0x43, PIT_GATE = 0x61 };
#define PIT_HZ 1193182

static u32 pit_read(void) {
    out8(PIT_COMMAND, 0x80);                    /* latch channel 2 */
    u8 low = in8(PIT_CHANNEL2);
    return low | (u32)in8(PIT_CHANNEL2) << 8;
}

/* Counter and timer read as close together as a busy host allows: of several tries the tightest. */
struct pair { u64 tsc; u32 timer; };

static struct pair read_pair(u32 (*read)(void)) {
    struct pair tightest = {0, 0};
    u64 best = UINT64_MAX;
    for (int i = 0; i < 12; i++) {
        u64 before = rdtsc();
        u32 value = read();
        u64 after = rdtsc();
        if (after - before < best) {
            best = after - before;
            tightest = (struct pair){before + best / 2, value};
        }
    }
    return tightest;
}

static u64 khz_from_pit(void) {
    out8(PIT_GATE, (u8)((in8(PIT_GATE) & ~2) | 1));
    out8(PIT_COMMAND, 0xb4);                    /* channel 2, both bytes, mode 2: counts down and wraps */
    out8(PIT_CHANNEL2, 0);
    out8(PIT_CHANNEL2, 0);
    struct pair from = read_pair(pit_read), to;
    do {
        to = read_pair(pit_read);
        if (to.tsc - from.tsc > 1000000000)     /* no such timer: a third of a second or so went by */
            return 0;
    } while ((u16)(from.timer - to.timer) < PIT_HZ / 50);       /* 20 ms; the counter wraps after 55 */
    return (to.tsc - from.tsc) * PIT_HZ / (u16)(from.timer - to.timer) / 1000;
}

/* ---- time of day ---- */

static u8 cmos(u8 reg) {
    out8(0x70, reg);
    return in8(0x71);
}

static u64 days_from_civil(u64 y, u64 m, u64 d) {
    y -= m <= 2;
    u64 era = y / 400, yoe = y % 400, doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* MC146818: read twice until two readings agree, so that no update fell in between. */
static u64 rtc_seconds(void) {
    static const u8 registers[] = {0, 2, 4, 7, 8, 9, 0x32};
    u8 now[7], before[7] = {0xff};
    for (int tries = 0; tries < 100; tries++) {
        while (cmos(0x0a) & 0x80 && tries++ < 100)
            cpu_relax();
        bool same = true;
        for (unsigned i = 0; i < 7; i++) {
            now[i] = cmos(registers[i]);
            same &= now[i] == before[i];
            before[i] = now[i];
        }
        if (same)
            break;
    }
    u8 status = cmos(0x0b);
    bool pm = !(status & 2) && now[2] & 0x80;
    now[2] &= 0x7f;
    if (!(status & 4))
        for (unsigned i = 0; i < 7; i++)
            now[i] = (u8)((now[i] >> 4) * 10 + (now[i] & 15));
    if (!(status & 2))
        now[2] = (u8)(now[2] % 12 + (pm ? 12 : 0));
    u64 century = now[6] >= 19 && now[6] <= 22 ? now[6] : 20;
    if (now[4] < 1 || now[4] > 12 || now[3] < 1 || now[3] > 31)
        return 0;
    return days_from_civil(century * 100 + now[5], now[4], now[3]) * 86400 + now[2] * 3600ull + now[1] * 60ull + now[0];
}

void clock_init(void) {
    tsc_start = rdtsc();
    const char *from = "command line";
    tsc_khz = boot_option_number("tsc_khz", 0);
    if (!tsc_khz) {
        tsc_khz = khz_from_cpuid();
        from = "cpuid";
    }
    if (!tsc_khz) {
        tsc_khz = khz_from_pit();
        from = "8254 timer";
    }
    if (!tsc_khz) {
        tsc_khz = 2000000;
        from = "nothing: a guess, time will be wrong";
    }
    scale = (NS_PER_MS << 32) / tsc_khz;
    clock_wall_offset = (i64)(rtc_seconds() * NS_PER_SEC - clock_now());
    log_info("clock: tsc %lu kHz (%s)", tsc_khz, from);
}

void clock_fill_vdso(void *data) {
    struct vdso_data *v = data;
    v->tsc_start = tsc_start;
    v->scale = scale;
    v->wall_offset = clock_wall_offset;
}

/* ---- interrupt timer ---- */

static u64 apic_scale;                          /* APIC timer ticks per nanosecond, << 32 */
static u64 programmed = FOREVER;

void clock_timer_init(void) {
    apic_timer_start(UINT32_MAX);
    struct pair from = read_pair(apic_timer_remaining);
    while (rdtsc() < from.tsc + tsc_khz / 4)    /* a fraction of a millisecond */
        cpu_relax();
    struct pair to = read_pair(apic_timer_remaining);
    apic_timer_start(0);
    u64 ns = ticks_to_ns(to.tsc - from.tsc);
    apic_scale = ((u64)(from.timer - to.timer) << 32) / (ns ? ns : 1);
}

void clock_program(u64 deadline) {
    /* An interrupt that comes too early only asks again; so a later deadline costs nothing. */
    u64 now = clock_now();
    if (deadline == FOREVER || (programmed <= deadline && programmed > now))
        return;
    u64 ns = deadline > now ? deadline - now : 0;
    unsigned __int128 ticks = (unsigned __int128)ns * apic_scale >> 32;
    u32 count = ticks > UINT32_MAX - 2 ? UINT32_MAX - 2 : (u32)ticks + 2;
    programmed = deadline;
    apic_timer_start(count);
}

/* The one-shot has been used up: whatever comes next must be programmed. */
void clock_timer_fired(void) { programmed = FOREVER; }
