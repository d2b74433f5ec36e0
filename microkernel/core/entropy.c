/* The generator is ChaCha20 (RFC 8439, 2.3) in the "fast key erasure" arrangement: the first 32
 * bytes of each batch of output become the next key, so that memory tells nothing about earlier output. */
#include "core/entropy.h"

#include "arch/x86_64/cpu.h"
#include "core/log.h"
#include "core/string.h"

static u32 key[8];
static u64 counter;

static u32 rotate(u32 v, int n) { return v << n | v >> (32 - n); }

static void quarter(u32 *x, int a, int b, int c, int d) {
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

static void block(u32 out[16]) {
    u32 in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(in + 4, key, sizeof key);
    in[12] = (u32)counter;
    in[13] = (u32)(counter >> 32);
    counter++;
    memcpy(out, in, sizeof in);
    for (int round = 0; round < 10; round++) {
        quarter(out, 0, 4, 8, 12), quarter(out, 1, 5, 9, 13), quarter(out, 2, 6, 10, 14), quarter(out, 3, 7, 11, 15);
        quarter(out, 0, 5, 10, 15), quarter(out, 1, 6, 11, 12), quarter(out, 2, 7, 8, 13), quarter(out, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++)
        out[i] += in[i];
}

/* Output made ahead, so that small requests do not pay for a block each. What has been given out is
 * wiped, and the key that made the rest is gone already. */
static u32 ahead[64];
static size_t ahead_left;                       /* bytes, at the end of `ahead` */

static void refill(void) {
    for (int i = 0; i < 4; i++)
        block(ahead + 16 * i);
    memcpy(key, ahead, sizeof key);
    ahead_left = sizeof ahead - sizeof key;
}

void entropy_bytes(void *to, size_t n) {
    u8 *p = to;
    while (n) {
        if (!ahead_left)
            refill();
        size_t have = min_u64(n, ahead_left);
        u8 *from = (u8 *)ahead + sizeof ahead - ahead_left;
        memcpy(p, from, have);
        memset(from, 0, have);
        p += have;
        n -= have;
        ahead_left -= have;
    }
}

void entropy_add(const void *bytes, size_t n) {
    /* Absorb 32 bytes at a time: key = ChaCha(key ^ input). */
    const u8 *p = bytes;
    u32 out[16];
    while (n) {
        size_t take = min_u64(n, sizeof key);
        for (size_t i = 0; i < take; i++)
            ((u8 *)key)[i] ^= p[i];
        block(out);
        memcpy(key, out, sizeof key);
        p += take;
        n -= take;
    }
    ahead_left = 0;                             /* later output comes from the new key */
}

/* From the processor, if it has an instruction for that and it delivers. */
static bool hardware_word(u64 *v) {
    u8 ok = 0;
    for (int tries = 0; !ok && tries < 100; tries++) {
        if (cpu_features.rdseed)
            __asm__ volatile("rdseed %0; setc %1" : "=r"(*v), "=qm"(ok));
        if (!ok && cpu_features.rdrand)
            __asm__ volatile("rdrand %0; setc %1" : "=r"(*v), "=qm"(ok));
    }
    return ok;
}

/* Without an instruction for it: the time that reads of a device's port take varies with the caches and
 * the host's scheduling. One bit per sample is assumed, ten times as many are taken. */
static void from_jitter(void) {
    u64 last = rdtsc();
    for (int i = 0; i < 256 * 10 / 8; i++) {
        u64 sample = 0;
        for (int k = 0; k < 8; k++) {
            in8(0x61);
            u64 now = rdtsc();
            sample = sample << 8 ^ sample >> 56 ^ (now - last);
            last = now;
        }
        entropy_add(&sample, sizeof sample);
    }
}

void entropy_init(void) {
    u64 word = rdtsc();
    unsigned got = 0;
    entropy_add(&word, sizeof word);
    for (int i = 0; i < 8 && hardware_word(&word); i++, got++)
        entropy_add(&word, sizeof word);
    if (got >= 4) {
        log_info("entropy: seeded by the processor");
        return;
    }
    from_jitter();
    log_warning("entropy: no RDRAND or RDSEED; seeded from timing jitter");
}
