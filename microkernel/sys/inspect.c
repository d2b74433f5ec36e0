/* What services ask about the kernel's own state: lines of fields that a program can split. Nobody else runs
 * while a text is made, so that it is of one moment. */
#include "arch/x86_64/apic.h"
#include "core/clock.h"
#include "core/errno.h"
#include "core/log.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/hosted.h"
#include "fs/socket.h"
#include "mm/user.h"
#include "mm/vm.h"
#include "sys/calls.h"

/* A text in the program's memory: as much of it as there is room for, and how long it is. */
struct text {
    u64 at, room, length;
    bool fault;
};

static void put_bytes(struct text *t, const char *bytes, size_t n) {
    if (t->length + n <= t->room && copy_to_user(t->at + t->length, bytes, n))
        t->fault = true;
    t->length += n;
}

static void put(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);
static void put(struct text *t, const char *format, ...) {
    char line[256];
    va_list args;
    va_start(args, format);
    size_t n = format_text_v(line, sizeof line, format, args);
    va_end(args);
    put_bytes(t, line, min_u64(n, sizeof line - 1));
}

/* A name of at most n bytes as text within a line: control characters and backslashes as \ooo, as Linux
 * writes them. */
static void put_name(struct text *t, const char *name, size_t n) {
    for (; n && *name; name++, n--) {
        u8 c = (u8)*name;
        if (c >= ' ' && c != 127 && c != '\\')
            put_bytes(t, name, 1);
        else
            put(t, "\\%u%u%u", c >> 6, c >> 3 & 7, c & 7);
    }
}

/* name value */
static void put_statistics(struct text *t, char *name) {
    struct pmm_statistics m = pmm_statistics();
    struct vm_statistics v = vm_statistics();
    put(t, "page_size %u\ntotal %lu\nfree %lu\npromised %lu\nreserve %lu\nmapped %lu\nresident %lu\n", PAGE_SIZE, m.total, m.free, m.promised,
        m.reserve, v.mapped, v.resident);
    put(t, "cpu_ns %lu\nidle_ns %lu\nidle_count %lu\nnow_ns %lu\nwall_offset_ns %ld\ntsc_khz %lu\n", process_cpu_time(), this_cpu()->idle_ns, this_cpu()->idle_count, clock_now(),
        clock_wall_offset, clock_tsc_khz());
    put(t, "threads %u\nfd_limit %u\nheap_end %lu\nstack %lu\ncwd_handle %lu\n", thread_count, fd_limit, vm_brk(0), thread_frame(main_thread)->rsp,
        is_hosted(working_directory) ? hosted_handle(working_directory) : 0);
}

/* number state priority nanoseconds-of-cpu name */
static void put_threads(struct text *t, char *name) {
    list_for(l, &all_threads) {
        const struct thread *x = list_item(l, struct thread, all_link);
        put(t, "%d %c %u %lu ", x->tid, x->state == THREAD_BLOCKED ? 'S' : 'R', x->priority, thread_cpu_time(x));
        put_name(t, x->name, sizeof x->name);
        put_bytes(t, "\n", 1);
    }
}

static void put_path(struct text *t, const struct inode *i, char *name) {
    i64 n = i ? is_directory(i) ? directory_path(i, name, PATH_MAX) : inode_path(i, name, PATH_MAX) : 0;
    if (n > 0)
        put_name(t, name, PATH_MAX);
    put_bytes(t, "\n", 1);
}

/* start end protection shared offset inode path */
static void put_regions(struct text *t, char *name) {
    for (const struct vma *v = vm_first(); v; v = vm_next((struct vma *)(uintptr_t)v)) {
        put(t, "%lu %lu %u %u %lu %lu ", v->start, v->end, v->prot, v->shared, v->offset, v->inode ? v->inode->number : 0);
        put_path(t, v->inode, name);
    }
}

/* descriptor flags position inode kind path */
static void put_descriptors(struct text *t, char *name) {
    for (int fd = 0; fd < (int)fd_limit; fd++) {
        const struct file *f = fd_file(fd);
        if (!f)
            continue;
        put(t, "%d %u %lu %lu %s ", fd, f->flags | (fd_close_on_exec(fd) ? O_CLOEXEC : 0), f->position, f->inode ? f->inode->number : is_hosted(f) ? hosted_handle(f) : f->unique, f->ops->name);
        put_path(t, f->inode, name);
    }
}

/* inode family type protocol state door received unsent name: a line for each descriptor that is a socket; the name
 * of a local one, its bytes in hexadecimal */
static void put_sockets(struct text *t, char *name) {
    for (int fd = 0; fd < (int)fd_limit; fd++) {
        const struct file *f = fd_file(fd);
        const struct socket *s = f ? socket_of(f) : NULL;
        if (!s)
            continue;
        put(t, "%lu %u %u %d %u %u %u %u ", f->unique, s->family, s->type, s->protocol, s->state, s->door ? s->number : 0,
            ring_fill(&s->in), ring_fill(&s->out));
        for (u32 i = 0; s->name && i < s->name->size; i++)
            put(t, "%x%x", s->name->bytes[i] >> 4, s->name->bytes[i] & 15);
        put_bytes(t, "\n", 1);
    }
}

/* interrupt count */
static void put_interrupts(struct text *t, char *name) {
    for (unsigned irq = 0; irq < IRQ_LINES; irq++)
        if (irq_counts[irq])
            put(t, "%u %lu\n", irq, irq_counts[irq]);
}

i64 inspect(u64 what, u64 to, u64 size) {
    static void (*const topics[])(struct text *t, char *name) = {put_statistics, put_threads, put_regions, put_descriptors, put_interrupts, put_sockets};
    struct text t = {.at = to, .room = size};
    if (what >= ARRAY_SIZE(topics))
        return -EINVAL;
    struct path *p = path_buffer();
    if (!p)
        return -ENOMEM;
    topics[what](&t, p->buffer);
    path_release(p);
    return t.fault ? -EFAULT : (i64)t.length;
}
