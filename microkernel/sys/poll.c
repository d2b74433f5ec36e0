/* Waiting for several files: poll, select, and the doors to epoll and eventfd. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/epoll.h"
#include "fs/eventfd.h"
#include "mm/kmalloc.h"
#include "sys/calls.h"

struct pollfd { i32 fd; i16 events, revents; };

/* One file of a poll in progress: its queues' entries while the caller sleeps. */
struct polled {
    struct wait_entry entries[2];
    struct file *file;
    u32 wanted;                                 /* what counts besides errors */
    bool hit;
};

static void woken(struct wait_entry *e, u32 events) {
    thread_wake(e->thread);
}

static u32 look(struct polled *p, bool attach) {
    struct waitqueue *queues[2];
    u32 events = file_poll(p->file, queues);
    for (int k = 0; attach && k < 2; k++)
        if (queues[k]) {
            p->entries[k].wake = woken;
            p->entries[k].thread = current_thread();
            waitqueue_add(queues[k], &p->entries[k]);
        }
    return events & (p->wanted | POLLERR | POLLHUP);
}

/* Waits until one of n files has an event. `seen` is called for each file with its events: returns
 * whether it counts. Number of files that count, 0 at the deadline, or minus errno. */
static i64 wait_for_files(struct polled *files, u32 n, u64 deadline, bool (*seen)(u32 index, u32 events, void *data), void *data) {
    i64 count = 0;
    i64 error = 0;
    current_thread()->wake_pending = false;
    for (u32 i = 0; i < n; i++) {
        list_init(&files[i].entries[0].link);
        list_init(&files[i].entries[1].link);
    }
    for (bool first = true; !count && !error; first = false) {
        for (u32 i = 0; i < n; i++)
            if (files[i].file)
                count += seen(i, look(&files[i], first && deadline), data);
            else
                count += seen(i, 0, data);
        if (!count)
            error = deadline ? thread_block(deadline) : -ETIMEDOUT;
    }
    for (u32 i = 0; i < n; i++) {
        waitqueue_remove(&files[i].entries[0]);
        waitqueue_remove(&files[i].entries[1]);
        if (files[i].file)
            file_put(files[i].file);
    }
    return count ? count : error == -ETIMEDOUT ? 0 : error == -ERESTARTSYS ? -ERESTARTNOHAND : error;
}

/* ---- poll ---- */

struct poll_state { struct pollfd *fds; };

static bool seen_poll(u32 index, u32 events, void *data) {
    struct pollfd *p = &((struct poll_state *)data)->fds[index];
    if (p->fd >= 0 && !fd_file(p->fd))
        events = POLLNVAL;
    p->revents = (i16)events;
    return events != 0;
}

static i64 do_poll(u64 from, u64 n, u64 deadline) {
    if (n > FD_LIMIT)
        return -EINVAL;
    u8 on_stack[512];
    size_t size = n * (sizeof(struct pollfd) + sizeof(struct polled)) + 8;
    u8 *memory = size <= sizeof on_stack ? on_stack : kmalloc(size);
    if (!memory)
        return -ENOMEM;
    struct polled *files = (void *)memory;
    struct pollfd *fds = (void *)(files + n);
    i64 result = copy_from_user(fds, from, n * sizeof *fds);
    if (!result) {
        for (u64 i = 0; i < n; i++) {
            struct file *f = fd_file(fds[i].fd);
            files[i].file = f ? file_get(f) : NULL;
            files[i].wanted = (u16)fds[i].events;
        }
        result = wait_for_files(files, (u32)n, deadline, seen_poll, &(struct poll_state){fds});
        for (u64 i = 0; i < n && result >= 0; i++)
            if (copy_to_user(from + i * sizeof *fds + 6, &fds[i].revents, 2))
                result = -EFAULT;
    }
    if (memory != on_stack)
        kfree(memory);
    return result;
}

static u64 deadline_ms(i32 ms) { return ms < 0 ? FOREVER : ms == 0 ? 0 : clock_now() + (u64)ms * NS_PER_MS; }

/* Relative timeout of a struct timespec; 0 means do not wait at all. */
static i64 relative_deadline(u64 from, u64 *deadline) {
    struct timespec t;
    *deadline = FOREVER;
    if (!from)
        return 0;
    if (copy_from_user(&t, from, sizeof t))
        return -EFAULT;
    if (!t.sec && !t.nsec) {
        *deadline = 0;
        return 0;
    }
    return deadline_from_user(from, false, false, deadline);
}

i64 sys_poll(u64 fds, u64 n, u64 timeout) { return do_poll(fds, n, deadline_ms((i32)timeout)); }

i64 sys_ppoll(u64 fds, u64 n, u64 timeout, u64 mask, u64 size) {
    u64 deadline;
    i64 error = relative_deadline(timeout, &deadline);
    if (!error)
        error = signals_set_temporary_mask(mask, size);
    if (error)
        return error;
    i64 result = do_poll(fds, n, deadline);
    signals_end_temporary_mask(result);
    return result;
}

/* ---- select ---- */

#define SELECT_IN (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define SELECT_OUT (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define SELECT_EXCEPT POLLPRI

struct select_state {
    int *fds;
    u64 *asked[3], *found[3];
};

static bool bit(const u64 *set, int fd) { return set && set[fd / 64] >> (fd % 64) & 1; }

static bool seen_select(u32 index, u32 events, void *data) {
    struct select_state *s = data;
    static const u32 masks[3] = {SELECT_IN, SELECT_OUT, SELECT_EXCEPT};
    int fd = s->fds[index];
    bool any = false;
    for (int k = 0; k < 3; k++)
        if (bit(s->asked[k], fd) && events & masks[k]) {
            s->found[k][fd / 64] |= 1ull << (fd % 64);
            any = true;
        }
    return any;
}

static i64 count_bits(struct select_state *s, int words) {
    i64 n = 0;
    for (int k = 0; k < 3; k++)
        for (int w = 0; w < words; w++)
            for (u64 bits = s->found[k][w]; bits; bits &= bits - 1)
                n++;
    return n;
}

static i64 do_select(u64 limit, const u64 sets[3], u64 deadline) {
    int n = (int)min_u64(limit, FD_LIMIT), words = (n + 63) / 64;
    if ((i32)limit < 0)
        return -EINVAL;
    u64 *bits = kzalloc((size_t)words * 6 * 8 + 8);
    struct polled *files = NULL;
    struct select_state s = {0};
    i64 result = bits ? 0 : -ENOMEM;
    u32 count = 0;
    for (int k = 0; k < 3 && !result; k++) {
        s.asked[k] = bits + k * words;
        s.found[k] = bits + (3 + k) * words;
        if (sets[k])
            result = copy_from_user(s.asked[k], sets[k], (size_t)words * 8);
    }
    for (int fd = 0; fd < n && !result; fd++)
        count += bit(s.asked[0], fd) || bit(s.asked[1], fd) || bit(s.asked[2], fd);
    if (!result && !(files = kzalloc(count * (sizeof *files + sizeof(int)) + 16)))
        result = -ENOMEM;
    if (!result) {
        s.fds = (int *)(files + count);
        u32 used = 0;
        for (int fd = 0; fd < n; fd++) {
            if (!bit(s.asked[0], fd) && !bit(s.asked[1], fd) && !bit(s.asked[2], fd))
                continue;
            struct file *f = fd_file(fd);
            if (!f)
                result = -EBADF;
            s.fds[used] = fd;
            files[used].file = f && !result ? file_get(f) : NULL;
            files[used++].wanted = (bit(s.asked[0], fd) ? SELECT_IN : 0) | (bit(s.asked[1], fd) ? SELECT_OUT : 0) | (bit(s.asked[2], fd) ? SELECT_EXCEPT : 0);
        }
        if (result) {
            for (u32 i = 0; i < used; i++)
                if (files[i].file)
                    file_put(files[i].file);
        } else {
            result = wait_for_files(files, count, deadline, seen_select, &s);
        }
    }
    if (result >= 0) {
        result = count_bits(&s, words);
        for (int k = 0; k < 3; k++)
            if (sets[k] && copy_to_user(sets[k], s.found[k], (size_t)words * 8))
                result = -EFAULT;
    }
    kfree(files);
    kfree(bits);
    return result;
}

i64 sys_pselect6(u64 n, u64 in, u64 out, u64 except, u64 timeout, u64 mask_argument) {
    struct { u64 mask, size; } m = {0, 8};
    u64 deadline, sets[3] = {in, out, except};
    if (mask_argument && copy_from_user(&m, mask_argument, sizeof m))
        return -EFAULT;
    i64 error = relative_deadline(timeout, &deadline);
    if (!error)
        error = signals_set_temporary_mask(m.mask, m.size);
    if (error)
        return error;
    i64 result = do_select(n, sets, deadline);
    signals_end_temporary_mask(result);
    return result;
}

i64 sys_select(u64 n, u64 in, u64 out, u64 except, u64 timeout) {
    u64 deadline = FOREVER, sets[3] = {in, out, except};
    i64 tv[2];
    if (timeout) {
        if (copy_from_user(tv, timeout, sizeof tv))
            return -EFAULT;
        if (tv[0] < 0 || tv[1] < 0)
            return -EINVAL;
        deadline = tv[0] || tv[1] ? clock_now() + min_u64((u64)tv[0], 1ull << 33) * NS_PER_SEC + (u64)tv[1] * 1000 : 0;
    }
    return do_select(n, sets, deadline);
}

/* ---- epoll ---- */

i64 sys_epoll_create1(u64 flags) {
    if (flags & ~(u64)O_CLOEXEC)
        return -EINVAL;
    struct file *f = epoll_open(0);
    return f ? fd_install(f, 0, flags & O_CLOEXEC) : -ENOMEM;
}

i64 sys_epoll_ctl(u64 epoll, u64 operation, u64 fd, u64 event) {
    struct file *e = fd_file((int)epoll), *f = fd_file((int)fd);
    return e && f ? epoll_control(e, (int)operation, (int)fd, f, event) : -EBADF;
}

static i64 do_epoll_wait(u64 epoll, u64 events, u64 limit, u64 deadline, u64 mask, u64 size) {
    struct file *e = fd_file((int)epoll);
    if (!e)
        return -EBADF;
    i64 error = signals_set_temporary_mask(mask, size);
    if (error)
        return error;
    i64 n = epoll_wait_events(e, events, (int)limit, deadline);
    signals_end_temporary_mask(n);
    return n;
}

i64 sys_epoll_pwait(u64 epoll, u64 events, u64 limit, u64 timeout, u64 mask, u64 size) {
    return do_epoll_wait(epoll, events, limit, deadline_ms((i32)timeout), mask, size);
}
i64 sys_epoll_pwait2(u64 epoll, u64 events, u64 limit, u64 timeout, u64 mask, u64 size) {
    u64 deadline;
    i64 error = relative_deadline(timeout, &deadline);
    return error ? error : do_epoll_wait(epoll, events, limit, deadline, mask, size);
}

i64 sys_eventfd2(u64 initial, u64 flags) {
    if (flags & ~(u64)(O_CLOEXEC | O_NONBLOCK | 1))
        return -EINVAL;
    struct file *f = eventfd_open((u32)initial, flags & 1, flags & O_NONBLOCK);
    return f ? fd_install(f, 0, flags & O_CLOEXEC) : -ENOMEM;
}
