/* proc(5): of the process and the machine what the C library, allocators, JIT compilers and monitors read. */
#include "core/clock.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/string.h"
#include "core/thread.h"
#include "mm/vm.h"
#include "sys/calls.h"

struct text {
    struct inode *to;
    bool failed;
};

static void put_bytes(struct text *t, const char *bytes, size_t n) {
    struct span s = kernel_span(bytes, n);
    u64 position = t->to->size;
    if (regular_write(t->to, &s, &position) != (i64)n)
        t->failed = true;
}

static void put(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);
static void put(struct text *t, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    size_t n = format_text_v(line, sizeof line, format, args);
    va_end(args);
    put_bytes(t, line, min_u64(n, sizeof line - 1));
}

/* The unit of times in /proc. */
static u64 ticks(u64 ns) { return ns / (NS_PER_SEC / 100); }
static u64 kib(u64 pages) { return pages * (PAGE_SIZE / 1024); }

/* ---- the process ---- */

/* Others may run while text is written (regular_write lets them): no region is kept over that, the next one
 * is looked up by address. */
static void put_maps(struct text *t) {
    struct path *name = path_buffer();
    u64 stack = thread_frame(main_thread)->rsp, heap = vm_brk(0);
    const struct vma *v;
    t->failed = !name;
    for (u64 at = 0; !t->failed && (v = vma_at_or_after(at));) {
        at = v->end;
        const char *what = v->inode              ? (inode_path(v->inode, name->buffer, sizeof name->buffer) > 0 ? name->buffer : "")
            : v->start <= stack && stack < v->end ? "[stack]"
            : v->start < heap && heap <= v->end   ? "[heap]"
                                                  : "";
        put(t, "%lx-%lx %c%c%c%c %08lx 00:01 %lu%s", v->start, v->end, v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
            v->prot & PROT_EXEC ? 'x' : '-', v->shared ? 's' : 'p', v->offset, v->inode ? v->inode->number : 0,
            *what ? "                   " : "");
        put_bytes(t, what, strlen(what));
        put(t, "\n");
    }
    if (name)
        path_release(name);
}

static void put_stat(struct text *t) {
    struct vm_statistics m = vm_statistics();
    put(t, "%d (%s) R 0 1 1 0 -1 4194304 0 0 0 0 %lu 0 0 0 20 0 %u 0 0 ", PROCESS_ID, main_thread->name, ticks(process_cpu_time()), thread_count);
    put(t, "%lu %lu 18446744073709551615 0 0 %lu 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", m.mapped * PAGE_SIZE, m.resident,
        thread_frame(main_thread)->rsp);
}

static void put_statm(struct text *t) {
    struct vm_statistics m = vm_statistics();
    put(t, "%lu %lu 0 0 0 %lu 0\n", m.mapped, m.resident, m.mapped);
}

static void put_status(struct text *t) {
    struct vm_statistics m = vm_statistics();
    put(t, "Name:\t%s\nState:\tR (running)\nTgid:\t1\nPid:\t1\nPPid:\t0\nTracerPid:\t0\n", main_thread->name);
    put(t, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t%u\nGroups:\t \n", fd_limit);
    put(t, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nVmSwap:\t       0 kB\nThreads:\t%u\n", kib(m.mapped),
        kib(m.mapped), kib(m.resident), kib(m.resident), thread_count);
    put(t, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\nvoluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
}

static void put_comm(struct text *t) { put(t, "%s\n", main_thread->name); }

/* ---- the machine ---- */

static void put_meminfo(struct text *t) {
    struct pmm_statistics m = pmm_statistics();
    put(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\nBuffers:               0 kB\n", kib(m.total), kib(m.free),
        kib(m.free > m.promised + m.reserve ? m.free - m.promised - m.reserve : 0));
    put(t, "Cached:                0 kB\nActive:                0 kB\nInactive:              0 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\nShmem:                 0 kB\nSlab:                  0 kB\nSReclaimable:          0 kB\nCommitted_AS:   %8lu kB\n", kib(m.promised));
}

static void put_machine_stat(struct text *t) {
    u64 busy = ticks(process_cpu_time()), idle = ticks(this_cpu()->idle_ns);
    i64 booted = clock_wall_offset / (i64)NS_PER_SEC;
    for (int k = 0; k < 2; k++)
        put(t, "cpu%s %lu 0 0 %lu 0 0 0 0 0 0\n", k ? "0" : " ", busy, idle);
    put(t, "intr 0\nctxt 0\nbtime %ld\nprocesses 1\nprocs_running 1\nprocs_blocked 0\nsoftirq 0\n", booted);
}

static void put_cpuinfo(struct text *t) {
    struct cpuid vendor = cpuid(0, 0), version = cpuid(1, 0), extended = cpuid(0x80000000, 0);
    u32 words[12] = {0};
    for (u32 k = 0; k < 3 && extended.eax >= 0x80000004; k++) {
        struct cpuid brand = cpuid(0x80000002 + k, 0);
        memcpy(words + 4 * k, &brand, sizeof brand);
    }
    u32 id[3] = {vendor.ebx, vendor.edx, vendor.ecx};
    /* SDM volume 2, CPUID, figure 3-6: the extended fields count where the plain ones are full. */
    u32 family = version.eax >> 8 & 15, model = version.eax >> 4 & 15;
    if (family == 6 || family == 15)
        model |= version.eax >> 12 & 0xf0;
    if (family == 15)
        family += version.eax >> 20 & 0xff;
    put(t, "processor\t: 0\nvendor_id\t: %.*s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %.*s\n", 12, (const char *)id, family, model, 48,
        (const char *)words);
    put(t, "cpu MHz\t\t: %lu.%03lu\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n\n", clock_tsc_khz() / 1000, clock_tsc_khz() % 1000);
}

static void put_uptime(struct text *t) {
    u64 up = ticks(clock_now()), idle = ticks(this_cpu()->idle_ns);
    put(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
}

/* ---- the files ---- */

/* Where the image has their folder; what never changes in /proc is in the image as ordinary files. */
static const struct {
    const char *path;
    void (*generate)(struct text *t);
} files[] = {
    {"/proc/1/maps", put_maps}, {"/proc/1/stat", put_stat}, {"/proc/1/statm", put_statm}, {"/proc/1/status", put_status},
    {"/proc/1/comm", put_comm}, {"/proc/meminfo", put_meminfo}, {"/proc/stat", put_machine_stat}, {"/proc/cpuinfo", put_cpuinfo},
    {"/proc/uptime", put_uptime},
};

void proc_init(void) {
    static struct path path;
    for (u32 k = 0; k < ARRAY_SIZE(files); k++) {
        if (path_resolve(root_inode, files[k].path, PATH_PARENT, &path) || path.inode)
            continue;
        struct inode *i = inode_new(S_IFREG | 0444);
        KASSERT(i && !directory_add(path.dir, path.name, path.length, i));
        i->proc = (u8)(k + 1);
    }
}

struct inode *proc_snapshot(const struct inode *i) {
    struct text t = {inode_new(i->mode), false};
    if (!t.to)
        return NULL;
    t.to->number = i->number;                   /* before others may run, and remove the name */
    files[i->proc - 1].generate(&t);
    if (!t.failed)
        return t.to;
    inode_reap(t.to);
    return NULL;
}
