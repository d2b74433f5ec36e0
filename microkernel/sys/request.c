#include "sys/request.h"

#include "core/clock.h"
#include "core/errno.h"
#include "core/log.h"
#include "core/string.h"
#include "fs/inode.h"
#include "fs/socket.h"
#include "mm/vm.h"
#include "sys/calls.h"

/* A number says where a request is, and which of those that were there it is. */
#define SLOTS 1024
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "numbers are taken apart by masks");
static struct request *slots[SLOTS];
static u64 generation[SLOTS];
static u32 taken, next_slot;

static struct list queued = LIST_INIT(queued), cancelled = LIST_INIT(cancelled);
static struct waitqueue services_queue = {LIST_INIT(services_queue.entries)}, buffers_queue = {LIST_INIT(buffers_queue.entries)};
static bool woken, power_button, log_grown, screen_grown, services_started;
struct thread *services_thread;

static struct { u64 function, restorer, gil_held; } hook;

/* ---- the caller's side ---- */

/* A function of CPython's that reads the thread's own memory and nothing else. */
bool request_has_gil(void) { return hook.gil_held && ((void *(*)(void))hook.gil_held)(); }

i64 request_allowed(void) {
    if (current_thread() == services_thread)
        return -EDEADLK;
    if (request_has_gil())
        return -EAGAINWITHOUTGIL;
    return 0;
}

static void enqueue(struct request *r, enum request_operation operation) {
    r->event.kind = EVENT_REQUEST;
    r->event.operation = operation;
    r->event.thread = r->thread ? (u32)r->thread->tid : 0;
    r->state = REQUEST_QUEUED;
    list_append(&queued, &r->link);
    services_wake();
}

static void finish(struct request *r) {
    r->state = REQUEST_DONE;
    if (r->thread)
        thread_wake(r->thread);
    else
        r->finished(r);
}

void request_post(struct request *r, enum request_operation operation) {
    r->thread = NULL;
    if (services_thread) {
        enqueue(r, operation);
    } else {
        list_init(&r->link);
        finish(r);
    }
}

/* The program's memory must be there, and writable if the task stores into it: it is touched as the program
 * would. Nothing takes it away until the request is done (requests_await_range). */
static i64 touch_buffer(const struct service_event *e) {
    u64 end = e->buffer + e->buffer_size;
    int code;
    if (e->buffer >= USER_END)
        return 0;                               /* the kernel's own */
    if (!user_range(e->buffer, e->buffer_size))
        return -EFAULT;
    for (u64 at = ALIGN_DOWN(e->buffer, PAGE_SIZE); at < end; at += PAGE_SIZE)
        if (!page_usable(at, e->writable) && vm_fault(at, e->writable ? FAULT_WRITE : FAULT_READ, &code))
            return -EFAULT;
    return 0;
}

/* Sleeps until the request is done. A signal takes back what no task has seen yet; of the rest the task is
 * told, and has the last word: its buffer is the caller's memory. */
static void await(struct request *r) {
    struct thread *t = r->thread;
    while (r->state != REQUEST_DONE) {
        if (thread_block(FOREVER) != -ERESTARTSYS || r->state == REQUEST_DONE)
            continue;
        list_remove(&r->link);
        if (r->state == REQUEST_QUEUED) {
            r->state = REQUEST_DONE;
            r->result = -ERESTARTSYS;
            break;
        }
        list_append(&cancelled, &r->link);
        services_wake();
        t->uninterruptible = true;
    }
    t->uninterruptible = false;
}

static i64 keep_redirection(struct request *r) {
    struct thread *t = current_thread();
    unsigned which = r->result == COMPLETE_REDIRECT ? 0 : 1;
    struct path **from = which ? &r->path2 : &r->path, *p = *from;
    if (directory_removed(p->mount))
        return -ENOENT;                         /* after a lazy umount: there is nothing above any more */
    *from = NULL;
    struct inode *start = inode_get(p->mount->directory.parent);
    inode_put(p->mount);
    p->mount = start;
    if (t->redirections[which])
        path_release(t->redirections[which]);
    t->redirections[which] = p;
    return -EREDIRECT;
}

i64 request(struct request *r, enum request_operation operation, u64 a, u64 b, u64 c) {
    struct service_event *e = &r->event;
    i64 result = !services_thread ? -EIO : request_allowed();
    e->a = a;
    e->b = b;
    e->c = c;
    if (!result)
        result = touch_buffer(e);
    if (!result) {
        r->thread = current_thread();
        r->thread->wake_pending = false;
        enqueue(r, operation);
        await(r);
        if (e->buffer_size)
            waitqueue_wake(&buffers_queue, 0);
        result = r->result == -EINTR ? -ERESTARTSYS : r->result;
        if (result == COMPLETE_REDIRECT || result == COMPLETE_REDIRECT_SECOND)
            result = keep_redirection(r);
    }
    if (r->path)
        path_release(r->path);
    if (r->path2)
        path_release(r->path2);
    r->path = r->path2 = NULL;
    return result;
}

static bool buffer_in_use(u64 start, u64 end) {
    for (u32 k = 0; taken && k < SLOTS; k++) {
        const struct service_event *e = slots[k] ? &slots[k]->event : NULL;
        if (e && e->buffer < end && start < e->buffer + e->buffer_size)
            return true;
    }
    list_for(l, &queued) {
        const struct service_event *e = &list_item(l, struct request, link)->event;
        if (e->buffer < end && start < e->buffer + e->buffer_size)
            return true;
    }
    return false;
}

bool requests_have(u64 start, u64 length) { return buffer_in_use(start, start + length); }

i64 requests_await_range(u64 start, u64 length) {
    u64 end = start + length;
    if ((!taken && list_empty(&queued)) || !buffer_in_use(start, end))
        return 0;
    i64 error = request_allowed();
    return error == -EDEADLK ? -EBUSY : error ? error : WAIT_UNTIL(&buffers_queue, !buffer_in_use(start, end), FOREVER);
}

/* ---- the services thread's side ---- */

void services_wake(void) {
    woken = true;
    waitqueue_wake(&services_queue, 0);
}

void services_power_button(void) {
    power_button = true;
    services_wake();
}

void services_screen_grown(void) {
    screen_grown = true;
    services_wake();
}

void services_log_grown(void) {
    log_grown = true;
    services_wake();
}

u64 services_word;
static int gil_holder;

bool services_need_gil_of(struct thread *t) {
    bool needed = t->tid == gil_holder && ((void *(*)(void))hook.gil_held)();
    t->give_up_gil |= needed;
    return needed;
}

void services_look_at_word(void) {
    u32 word;
    if (copy_from_user(&word, services_word, sizeof word) || !word) {
        services_word = 0;
        thread_wake(services_thread);
    }
}

i64 services_wait_zero(u64 address, u64 holder) {
    struct thread *t = current_thread(), *h = thread_find((int)holder);
    if (t != services_thread || !user_range(address, sizeof(u32)) || !hook.gil_held)
        return -EINVAL;
    i64 error = 0;
    t->wake_pending = false;
    services_word = address;
    gil_holder = (int)holder;
    services_look_at_word();
    if (services_word && h && h->state == THREAD_BLOCKED && !h->uninterruptible) {
        h->give_up_gil = true;
        thread_interrupt(h);
    }
    while (services_word && !error)
        error = thread_block(FOREVER);
    services_word = 0;
    return error;
}

static u64 give_number(struct request *r) {
    while (slots[next_slot & (SLOTS - 1)])
        next_slot++;
    u32 slot = next_slot++ & (SLOTS - 1);
    slots[slot] = r;
    taken++;
    return r->event.number = ++generation[slot] * SLOTS + slot;
}

/* The next event: false if there is none. */
static bool take(struct service_event *e, u64 in_flight) {
    memset(e, 0, sizeof *e);
    if (power_button) {
        power_button = false;
        e->kind = EVENT_POWER_BUTTON;
    } else if (log_grown) {
        log_grown = false;
        e->kind = EVENT_LOG;
    } else if (screen_grown) {
        screen_grown = false;
        e->kind = EVENT_SCREEN;
    } else if (door_has_news()) {
        e->kind = EVENT_SOCKETS;
    } else if (interrupt_take(e)) {
        e->kind = EVENT_INTERRUPT;
    } else if (!list_empty(&cancelled)) {
        struct request *r = list_first(&cancelled, struct request, link);
        list_remove(&r->link);
        e->kind = EVENT_CANCEL;
        e->number = r->event.number;
    } else if (!list_empty(&queued) && taken < min_u64(in_flight, SLOTS)) {
        struct request *r = list_first(&queued, struct request, link);
        list_remove(&r->link);
        r->state = REQUEST_TAKEN;
        give_number(r);
        *e = r->event;
    }
    return e->kind != 0;
}

i64 services_wait(u64 deadline, u64 to, u64 count, u64 in_flight) {
    if (!services_thread)
        services_thread = current_thread();
    if (current_thread() != services_thread)
        return -EBUSY;
    struct service_event e;
    if (!user_range(to, count * sizeof e))
        return -EFAULT;
#define SOMETHING (woken || power_button || interrupt_pending() || !list_empty(&cancelled) || (!list_empty(&queued) && taken < min_u64(in_flight, SLOTS)))
    int error = WAIT_UNTIL(&services_queue, SOMETHING, deadline);
    if (error && error != -ETIMEDOUT)
        return error;
    woken = false;
    services_started |= count > 0;
    u64 n = 0;
    for (; n < count && take(&e, in_flight); n++)
        if (copy_to_user(to + n * sizeof e, &e, sizeof e))
            return -EFAULT;
    return (i64)n;
}

i64 services_complete(u64 number, i64 result, u64 extra, u64 text) {
    u32 slot = number & (SLOTS - 1);
    struct request *r = slots[slot];
    if (!r || r->event.number != number)
        return -EINVAL;
    if (result < 0 && result >= COMPLETE_REDIRECT_SECOND && result <= COMPLETE_REDIRECT) {
        struct path *p = result == COMPLETE_REDIRECT ? r->path : r->path2;
        if (!p || !p->mount)
            return -EINVAL;
        i64 n = copy_string_from_user(p->buffer, text, sizeof p->buffer);
        if (n <= 0)
            result = n ? n : -ENOENT;
    } else if (result < COMPLETE_REDIRECT_SECOND) {
        return -EINVAL;
    }
    slots[slot] = NULL;
    taken--;
    list_remove(&r->link);
    r->result = result;
    r->extra = extra;
    finish(r);
    return 0;
}

void services_ended(void) {
    services_thread = NULL;
    for (u32 k = 0; k < SLOTS; k++)
        if (slots[k]) {
            list_remove(&slots[k]->link);
            list_append(&queued, &slots[k]->link);
            slots[k] = NULL;
        }
    taken = 0;
    list_for_safe(l, &queued) {
        struct request *r = list_item(l, struct request, link);
        list_remove(&r->link);
        r->result = -EIO;
        finish(r);
    }
    doors_ended();
    log_error("the services thread has ended: what it served fails with EIO from now on");
}

i64 services_synchronize(void) {
    struct request r = {.event = {.mount = 0}};
    /* Until they have started there is nothing that they could write. */
    return services_started ? request(&r, REQUEST_SYNC, SYNC_ALL, 0, 0) : 0;
}

i64 services_mount(u64 name, u64 number) {
    struct path *p;
    i64 error = path_at((u64)AT_FDCWD, name, PATH_FOLLOW, &p);
    if (error)
        return error;
    if (p->mount && number)
        error = -EXDEV;                         /* within a mount: that is the services' own affair */
    else if (!p->mount && !is_directory(p->inode))
        error = -ENOTDIR;
    else if (!p->mount && (!number || number > UINT32_MAX || p->inode == root_inode))
        error = number ? -EBUSY : -EINVAL;
    else if (!number)
        error = *p->name ? -EINVAL : 0;
    if (!error) {
        struct inode *dir = number ? p->inode : p->mount;
        dir->directory.mount = (u32)number;
        for (struct inode *above = dir->directory.parent; above != root_inode; above = above->directory.parent)
            above->directory.mounts_below += number ? 1u : -1u;
        number ? (void)inode_get(dir) : inode_put(dir);
    }
    path_release(p);
    return error;
}

/* ---- the program's hook ---- */

i64 services_set_hook(u64 function, u64 restorer, u64 gil_held) {
    if (!user_range(function, 1) || !user_range(restorer, 1) || !user_range(gil_held, 1))
        return -EFAULT;
    hook.function = function;
    hook.restorer = restorer;
    hook.gil_held = gil_held;
    return 0;
}

bool services_call_hook(struct frame *f, enum request_hook_reason reason) {
    struct thread *t = current_thread();
    struct sigaction action = {.handler = hook.function, .restorer = hook.restorer};
    struct siginfo info = {.signo = (i32)reason, .code = SI_KERNEL};
    f->rax = reason == HOOK_RELEASE_GIL ? f->orig_rax : (u64)-EDEADLK;      /* the hook makes the call again */
    bool called = hook.function && sigframe_push(f, t, &action, &info, t->signals.blocked);
    if (!called && reason == HOOK_RELEASE_GIL)
        f->rax = (u64)-EFAULT;                  /* no stack is left to call it on */
    return called;
}
