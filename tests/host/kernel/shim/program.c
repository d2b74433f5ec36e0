#include "program.h"

#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "core/thread.h"
#include "fs/epoll.h"
#include "fs/inode.h"
#include "mm/vm.h"
#include "sys/request.h"

u64 program_fault;
bool (*program_meanwhile)(void);
unsigned program_sleeps, program_wakes;
int program_signal;
struct thread *services_thread;                 /* there is none */

#define SYS_ARCH_PRCTL 158
#define ARCH_SET_GS 0x1001

void program_enter(void) {
    static struct thread thread;
    static struct cpu cpu = {.self = &cpu, .current = &thread};
    i64 result = SYS_ARCH_PRCTL;
    __asm__ volatile("syscall" : "+a"(result) : "D"(ARCH_SET_GS), "S"(&cpu) : "rcx", "r11", "memory");
    CHECK_EQUAL(result, 0);
}

/* How many of n bytes can be touched. */
static size_t reachable(u64 at, size_t n) { return at <= program_fault && program_fault - at < n ? program_fault - at : n; }

size_t user_copy_raw(void *to, const void *from, size_t n);

size_t user_copy_raw(void *to, const void *from, size_t n) {
    size_t good = min_u64(reachable((u64)to, n), reachable((u64)from, n));
    memcpy(to, from, good);
    return n - good;
}

void preemption_point(void) {}

void wait_begin(struct wait_entry *e, struct waitqueue *q) { waitqueue_add(q, e); }

int thread_block(u64 deadline) {
    program_sleeps++;
    return program_meanwhile && program_meanwhile() ? 0 : -ERESTARTSYS;
}

void waitqueue_wake(struct waitqueue *q, u32 events) {
    program_wakes += !list_empty(&q->entries);
}

void signal_thread(struct thread *t, int signal) {
    CHECK(t == current_thread());
    program_signal = signal;
}

void epoll_forget_file(struct file *f) {}

/* Nothing is mapped here. */
void vm_file_cut(const struct inode *i, u64 from, u64 to, bool private_too) {
    CHECK_EQUAL(i->regular.mappings, 0);
}
