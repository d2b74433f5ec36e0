/* Requests: system calls that a Python task answers.
 *
 * The caller's request lies on its kernel stack; it is queued, the services thread takes it with
 * services_wait, and the caller sleeps until services_complete. Between taking and completing, the
 * caller's buffer is the task's to read or write: calls that would take its pages away wait. */
#pragma once

#include "core/list.h"
#include "core/thread.h"
#include "sys/request_abi.h"

struct path;
struct inode;

struct request {
    struct list link;                           /* among the queued, or the cancelled ones to be told of */
    struct thread *thread;                      /* who waits; NULL: nobody does */
    void (*finished)(struct request *r);        /* with no thread: called when it is done */
    enum { REQUEST_IDLE, REQUEST_QUEUED, REQUEST_TAKEN, REQUEST_DONE } state;
    struct service_event event;
    struct path *path, *path2;                  /* owned: the strings of the event are in them */
    i64 result;
    u64 extra;
};

extern struct thread *services_thread;

/* 0 if the caller may make a request now. -EDEADLK: it is the services thread, which would wait for itself;
 * -EAGAINWITHOUTGIL: it has the interpreter's lock (sys/syscall.c makes the call again without). */
i64 request_allowed(void);

/* Whether the calling thread has the interpreter's lock. */
bool request_has_gil(void);
/* Asks and waits; takes over the paths. The result, or minus errno; -EREDIRECT: the path to go on with is the
 * thread's. */
i64 request(struct request *r, enum request_operation operation, u64 a, u64 b, u64 c);
/* Tells, without waiting; *r stays until `finished`. */
void request_post(struct request *r, enum request_operation operation);
/* Waits until no request that a task works on has its buffer in a range of the program's memory:
 * 0, -ERESTARTSYS, or -EBUSY for the services thread itself. */
i64 requests_await_range(u64 start, u64 length);

/* Is any of a range in the buffer of a request? */
bool requests_have(u64 start, u64 length);

/* ---- the services thread's side (calls of ovum's own) ---- */

/* Waits for events, until the deadline; stores up to `count` of them. No more than `in_flight` requests are
 * given out at a time, the rest stays queued. The first caller is the services thread. */
i64 services_wait(u64 deadline, u64 to, u64 count, u64 in_flight);
i64 services_complete(u64 number, i64 result, u64 extra, u64 path);
/* Waits until a word of the program's is 0: the interpreter's lock, which thread `holder` has. It is looked at
 * whenever another thread makes a system call: those that set it to 0, when they give up the lock, make one
 * right after that. A holder that sleeps in a call could keep it for ever, waiting for somebody who waits for a
 * task: such a call is broken off and made again without the lock. */
i64 services_wait_zero(u64 address, u64 holder);
/* Does the services thread wait for the lock that this thread, about to sleep, holds? Then its call is to end
 * with -ERESTARTSYS. */
bool services_need_gil_of(struct thread *t);
extern u64 services_word;                       /* the address, while it waits for that */
void services_look_at_word(void);
/* Makes services_wait return. Any thread, any context. */
void services_wake(void);
void services_power_button(void);
void services_log_grown(void);
void services_screen_grown(void);
/* The services thread is gone: nobody answers any more. */
void services_ended(void);
i64 services_mount(u64 path, u64 number);
/* sync(2) for everything that tasks serve. */
i64 services_synchronize(void);
/* The program's hook, its way back (a restorer) and how to ask whether the calling thread has the GIL. */
i64 services_set_hook(u64 hook, u64 restorer, u64 gil_held);
/* Has the hook called on the way back of this system call. */
bool services_call_hook(struct frame *f, enum request_hook_reason reason);

/* ---- interrupts for tasks (sys/interrupt.c) ---- */

i64 interrupt_bind(u64 irq);
/* Binds a message-signalled one: its number; stores address and data for the device. -ENOSPC. */
i64 interrupt_bind_message(u64 to);
i64 interrupt_acknowledge(u64 irq);
i64 interrupt_unbind(u64 irq);
bool interrupt_pending(void);
/* The next line that has had interrupts: false if none. */
bool interrupt_take(struct service_event *e);
