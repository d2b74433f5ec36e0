/* Waiting for several files: poll, select, and the doors to epoll and eventfd. */
#include "core/clock.h"
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/epoll.h"
#include "fs/eventfd.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"
#include "sys/calls.h"

struct pollfd { i32 fd; i16 events, revents; };

/* One file of a poll in progress: its queues' entries while the caller sleeps. */
struct polled {
    struct wait_entry entries[2];
    struct file *file;                          /* NULL: its events stand already */
    int fd;
    u32 wanted, events;
};

static void look(struct polled *p, bool attach) {
    struct waitqueue *queues[2];
    p->events = file_poll(p->file, queues) & p->wanted;
    for (int k = 0; attach && k < 2; k++)
        if (queues[k])
            wait_begin(&p->entries[k], queues[k]);
}

/* Waits until one of n files has an event; gives up the references to them. Number of files that have one,
 * 0 at the deadline, or minus errno. */
static i64 wait_for_files(struct polled *files, u32 n, u64 deadline) {
    i64 count = 0;
    i64 error = 0;
    doors_look();
    current_thread()->wake_pending = false;
    for (u32 i = 0; i < n; i++) {
        list_init(&files[i].entries[0].link);
        list_init(&files[i].entries[1].link);
    }
    for (bool first = true; !count && !error; first = false) {
        for (u32 i = 0; i < n; i++) {
            if (files[i].file)
                look(&files[i], first && deadline);
            count += files[i].events != 0;
        }
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
            files[i].wanted = (u16)fds[i].events | POLLERR | POLLHUP;
            files[i].events = fds[i].fd < 0 ? 0 : POLLNVAL;
        }
        result = wait_for_files(files, (u32)n, deadline);
        for (u64 i = 0; i < n && result >= 0; i++) {
            fds[i].revents = (i16)files[i].events;
            if (copy_to_user(from + i * sizeof *fds + 6, &fds[i].revents, 2))
                result = -EFAULT;
        }
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
    return error ? error : do_poll(fds, n, deadline);
}

/* ---- select ---- */

/* What counts for the sets of readable, writable and exceptional files. */
static const u32 select_masks[3] = {
    POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI,
};

static u32 selected(u64 *const sets[3], int fd) {
    u32 mask = 0;
    for (int k = 0; k < 3; k++)
        mask |= sets[k][fd / 64] >> (fd % 64) & 1 ? select_masks[k] : 0;
    return mask;
}

/* Takes the files without an event out of the sets; counts what stays. */
static i64 keep_ready(u64 *const sets[3], const struct polled *files, u32 count) {
    i64 ready = 0;
    for (u32 i = 0; i < count; i++)
        for (int k = 0; k < 3; k++) {
            u64 *word = &sets[k][files[i].fd / 64], bit = 1ull << (files[i].fd % 64);
            if (!(files[i].events & select_masks[k]))
                *word &= ~bit;
            ready += (*word & bit) != 0;
        }
    return ready;
}

static i64 do_select(u64 limit, const u64 addresses[3], u64 deadline) {
    int n = (int)min_u64(limit, FD_LIMIT), words = (n + 63) / 64;
    if ((i32)limit < 0)
        return -EINVAL;
    u64 *bits = kzalloc((size_t)words * 3 * 8 + 8), *const sets[3] = {bits, bits + words, bits + 2 * words};
    i64 result = bits ? 0 : -ENOMEM;
    for (int k = 0; k < 3 && !result; k++) {
        if (addresses[k])
            result = copy_from_user(sets[k], addresses[k], (size_t)words * 8);
        if (n % 64)
            sets[k][words - 1] &= (1ull << n % 64) - 1;
    }
    u32 count = 0, used = 0;
    for (int fd = 0; fd < n && !result; fd++)
        if (selected(sets, fd)) {
            count++;
            result = fd_file(fd) ? 0 : -EBADF;
        }
    struct polled *files = result ? NULL : kmalloc(count * sizeof *files + 1);
    if (files) {
        for (int fd = 0; fd < n; fd++)
            if (selected(sets, fd))
                files[used++] = (struct polled){.file = file_get(fd_file(fd)), .fd = fd, .wanted = selected(sets, fd)};
        result = wait_for_files(files, count, deadline);
        result = result < 0 ? result : keep_ready(sets, files, count);
    } else if (!result) {
        result = -ENOMEM;
    }
    for (int k = 0; k < 3 && result >= 0; k++)
        if (addresses[k] && copy_to_user(addresses[k], sets[k], (size_t)words * 8))
            result = -EFAULT;
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
    return error ? error : do_select(n, sets, deadline);
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
    return error ? error : epoll_wait_events(e, events, (int)limit, deadline);
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
