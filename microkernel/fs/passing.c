/* Files on their way from one local socket to another (SCM_RIGHTS), and whose the sender is.
 *
 * A socket that is on its way to itself, directly or over others, stays open for good when nobody else has it:
 * such rings are not looked for. */
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"

#define PASSED_LIMIT 253                        /* SCM_MAX_FD */
#define CONTROL_LIMIT 2048

static u32 files_on_their_way;

/* Closing one may drop a socket that others are on their way to: in turn, not one inside the other. */
void local_free_passed(struct passed *p) {
    static struct list waiting = LIST_INIT(waiting);
    static bool busy;
    if (!p)
        return;
    list_init(&p->link);
    list_append(&waiting, &p->link);
    if (busy)
        return;
    busy = true;
    while (!list_empty(&waiting)) {
        p = list_first(&waiting, struct passed, link);
        list_remove(&p->link);
        files_on_their_way -= p->count;
        for (u32 i = 0; i < p->count; i++)
            file_put(p->files[i]);
        kfree(p);
    }
    busy = false;
}

/* More files for what is to be passed, which moves. */
static i64 add_files(const u8 *data, u64 size, struct passed **passed) {
    struct passed *before = *passed;
    u32 had = before ? before->count : 0, count = had + (u32)(size / sizeof(i32));
    i32 fd;
    if (count > PASSED_LIMIT)
        return -EINVAL;
    if (count == had)
        return 0;
    if (files_on_their_way + count - had > fd_limit)
        return -ETOOMANYREFS;
    struct passed *p = kzalloc(sizeof *p + count * sizeof p->files[0]);
    if (!p)
        return -ENOMEM;
    if (before)
        memcpy(p->files, before->files, had * sizeof p->files[0]);
    kfree(before);
    *passed = p;
    for (p->count = had; p->count < count; p->count++, files_on_their_way++) {
        memcpy(&fd, data + (p->count - had) * sizeof fd, sizeof fd);
        struct file *f = fd_file(fd);
        if (!f)
            return -EBADF;
        p->files[p->count] = file_get(f);
    }
    return 0;
}

i64 local_collect(struct message *m, struct passed **passed) {
    struct { u64 length; u32 level, type; } h;
    if (!m->control_size)
        return 0;
    if (m->control_size > CONTROL_LIMIT)
        return -ENOBUFS;
    u8 *bytes = kmalloc(m->control_size);
    i64 error = !bytes ? -ENOMEM : copy_from_user(bytes, m->control, m->control_size);
    for (u64 at = 0; !error && at + sizeof h <= m->control_size; at += ALIGN_UP(h.length, 8)) {
        memcpy(&h, bytes + at, sizeof h);
        if (h.length < sizeof h || h.length > m->control_size - at)
            error = -EINVAL;
        else if (h.level != SOL_SOCKET)
            continue;
        else if (h.type == SCM_RIGHTS)
            error = add_files(bytes + at + sizeof h, h.length - sizeof h, passed);
        else if (h.type != SCM_CREDENTIALS || h.length != sizeof h + 12)
            error = -EINVAL;                    /* everybody is the one process there is: nothing to look at */
    }
    kfree(bytes);
    return error;
}

void local_pass(struct socket *to, struct passed *p, u32 at, u32 size) {
    if (!p)
        return;
    p->at = at;
    p->end = at + size;
    list_append(&to->passed, &p->link);
}

/* Those whose first byte is among n from `offset` on. */
static struct passed *first_passed(const struct socket *s, u32 offset, u32 n) {
    list_for(l, &s->passed) {
        struct passed *p = list_item(l, struct passed, link);
        if (p->at - (s->in.tail + offset) < n)
            return p;
    }
    return NULL;
}

u32 local_limit(const struct socket *s, u32 offset, u32 n) {
    const struct passed *p = first_passed(s, offset, n);
    return p ? (u32)min_u64(n, p->end - (s->in.tail + offset)) : n;
}

static void give_files(struct message *m, struct passed *p) {
    i32 fds[PASSED_LIMIT];
    u32 room = m->control_size < 16 ? 0 : (u32)min_u64((m->control_size - 16) / sizeof fds[0], p->count), n = 0;
    for (; n < room; n++) {
        fds[n] = fd_install(file_get(p->files[n]), 0, m->flags & MSG_CMSG_CLOEXEC);
        if (fds[n] < 0)
            break;
    }
    if (n < p->count)
        m->told |= MSG_CTRUNC;
    if (n)
        message_put_control(m, SOL_SOCKET, SCM_RIGHTS, fds, n * sizeof fds[0]);
}

void local_unpack(struct socket *s, struct message *m, u32 offset, u32 n) {
    static const u32 credentials[3] = {PROCESS_ID, 0, 0};
    if (s->pass_credentials && !m->credentials_told)
        message_put_control(m, SOL_SOCKET, SCM_CREDENTIALS, credentials, sizeof credentials);
    m->credentials_told = true;
    struct passed *p = first_passed(s, offset, n);
    if (!p)
        return;
    give_files(m, p);
    if (m->flags & MSG_PEEK)
        return;
    list_remove(&p->link);
    local_free_passed(p);
}
