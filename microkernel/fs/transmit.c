/* Sockets: what recvmsg(2) and sendmsg(2) do, for datagrams and for streams. */
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/socket.h"

/* ---- datagrams ---- */

u32 record_size(u64 address_size, u64 control_size, u64 size) { return (u32)ALIGN_UP(sizeof(struct record) + address_size + control_size + size, 8); }

int record_put(struct ring *r, const void *address, u32 address_size, struct span *control, u32 control_size, struct span *data) {
    struct record record = {(u32)data->left, (u16)address_size, (u16)control_size};
    u32 start = r->head, n = record_size(address_size, control_size, data->left);
    struct span header = kernel_span(&record, sizeof record), name = kernel_span(address, address_size);
    if (!ring_reserve(r, n))
        return -ENOMEM;
    if (ring_put(r, &header, sizeof record) || ring_put(r, &name, address_size) || ring_put(r, control, control_size) ||
        ring_put(r, data, (u32)data->left)) {
        r->head = start;
        return -EFAULT;
    }
    r->head = start + n;
    return 0;
}

struct record record_first(const struct ring *r) {
    struct record record;
    struct span to = kernel_span(&record, sizeof record);
    ring_copy(r, 0, &to, sizeof record);
    return record;
}

/* Gives m the first one, which is r: how much of its data there was room for. */
static i64 copy_record(const struct ring *ring, const struct record *r, struct message *m) {
    u8 control[SOCKET_CONTROL_MAX];
    struct span name = kernel_span(m->address, sizeof m->address), controls = kernel_span(control, sizeof control);
    ring_copy(ring, sizeof *r, &name, m->address_size = r->address_size);
    ring_copy(ring, sizeof *r + r->address_size, &controls, r->control_size);
    u64 n = min_u64(r->size, m->data.left);
    if (ring_copy(ring, (u32)sizeof *r + r->address_size + r->control_size, &m->data, (u32)n))
        return -EFAULT;
    message_put_controls(m, control, r->control_size);
    m->told |= n < r->size ? MSG_TRUNC : 0;
    return (i64)n;
}

/* What is first in the queue of errors: struct sock_extended_err begins with its number. */
static i32 first_error(const struct ring *errors) {
    u8 control[20] = {0};                       /* a struct cmsghdr and the number */
    i32 number;
    struct span to = kernel_span(control, sizeof control);
    struct record r = record_first(errors);
    if (r.control_size >= sizeof control)
        ring_copy(errors, sizeof r + r.address_size, &to, sizeof control);
    memcpy(&number, control + 16, sizeof number);
    return number;
}

/* recvmsg(2) with MSG_ERRQUEUE never waits; as in Linux, SO_ERROR is the next one's then. */
static i64 receive_error(struct socket *s, struct message *m) {
    if (!s->errors)
        return -EAGAIN;
    struct record r = record_first(s->errors);
    i64 n = copy_record(s->errors, &r, m);
    if (n < 0)
        return n;
    m->told |= MSG_ERRQUEUE;
    ring_drop(s->errors, record_size(r.address_size, r.control_size, r.size));
    s->error = 0;
    if (ring_fill(s->errors))
        s->error = first_error(s->errors);
    else
        socket_drop_errors(s);
    return n;
}

static i64 receive_record(struct socket *s, struct message *m, bool nonblocking) {
    u64 deadline = socket_deadline(s->receive_timeout);
    if (s->family == AF_UNIX && s->type == SOCK_SEQPACKET && !(s->state & CONNECTED))
        return -ENOTCONN;
    i64 error = SOCKET_WAIT(&s->queue, s->error || ring_fill(&s->in) || s->state & (PEER_CLOSED | READ_SHUT), nonblocking, deadline);
    if (error || s->error)
        return error ? error : -socket_take_error(s);
    if (!ring_fill(&s->in))
        return 0;
    struct record r = record_first(&s->in);
    i64 n = copy_record(&s->in, &r, m);
    if (n < 0)
        return n;
    if (s->family == AF_UNIX)
        local_unpack(s, m, 0, 1);
    destination_seen(s, m);
    if (!(m->flags & MSG_PEEK))
        socket_taken(s, record_size(r.address_size, r.control_size, r.size));
    return m->flags & MSG_TRUNC ? r.size : n;
}

/* What Linux refuses at once, since services answer nobody. */
static i64 check_destination(const struct socket *s, const struct message *m) {
    u16 family, port;
    bool internet = socket_is_internet(s);
    if (!m->address_size)
        return internet && !(s->state & CONNECTED) ? -EDESTADDRREQ : 0;
    if (!internet)
        return 0;
    if (m->address_size < 16)
        return -EINVAL;
    memcpy(&family, m->address, sizeof family);
    memcpy(&port, m->address + 2, sizeof port);
    if (family != s->family && family != AF_UNSPEC && !(s->family == AF_INET6 && family == AF_INET))
        return -EAFNOSUPPORT;
    return family == AF_INET6 && m->address_size < 24 ? -EINVAL : !port && s->type == SOCK_DGRAM && s->protocol != 1 && s->protocol != 58 ? -EINVAL : 0;
}

#define LONGEST_MESSAGE 65535                   /* of IP; of netlink, longer than any */
#define LONGEST_UDP 65507                       /* 65,535 without the headers of IPv4 and UDP */

static i64 send_record(struct socket *s, struct message *m, bool nonblocking) {
    struct socket *target = s;
    struct passed *passed = NULL;
    u64 deadline = socket_deadline(s->send_timeout);
    i64 error = s->state & WRITE_SHUT ? -EPIPE : 0, size = (i64)m->data.left;
    bool local = s->family == AF_UNIX;
    if (s->error && !local)
        return -socket_take_error(s);
    if (!error && !local)
        error = m->control_size > SOCKET_CONTROL_MAX ? -ENOBUFS : check_destination(s, m);
    if (!error && socket_is_internet(s))
        error = message_check_controls(m);
    if (!error && local && !(error = local_collect(m, &passed)))
        error = local_target(s, m, &target);
    if (error) {
        local_free_passed(passed);
        return error;
    }
    struct ring *r = local ? &target->in : &s->out;
    const void *address = !local ? m->address : s->name ? s->name->bytes : NULL;
    u32 address_size = !local ? m->address_size : s->name ? s->name->size : 0, control_size = local ? 0 : (u32)m->control_size;
    u32 need = record_size(address_size, control_size, (u64)size);
    struct span control = {.at = m->control, .left = control_size};
    if (size > (local ? (i64)r->limit - 1024 : LONGEST_MESSAGE) || (s->family == AF_INET && s->type == SOCK_DGRAM && size > LONGEST_UDP))
        error = -EMSGSIZE;
    if (!error)
        error = destination_check(s, m);
    while (!error && !record_fits(r, need) && !target->closed && !(s->state & WRITE_SHUT)) {
        s->no_space = true;
        error = SOCKET_WAIT(&target->queue, record_fits(r, need) || target->closed || s->state & WRITE_SHUT, nonblocking, deadline);
    }
    if (!error && (s->state & WRITE_SHUT || target->closed || target->state & READ_SHUT))
        error = target->closed && s->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
    u32 at = r->head;
    if (!error)
        error = record_put(r, address, address_size, &control, control_size, &m->data);
    if (error) {
        local_free_passed(passed);
    } else if (local) {
        local_pass(target, passed, at, 1);
        socket_wake(target, CAN_READ);
    } else {
        door_changed(s, SOCKET_SENT);
    }
    if (local)
        socket_put(target);
    return error ? error : size;
}

/* ---- streams ---- */

static i64 receive_stream(struct socket *s, struct message *m, bool nonblocking) {
    u64 deadline = socket_deadline(s->receive_timeout), target = m->flags & MSG_WAITALL ? m->data.left : min_u64(s->receive_low, m->data.left);
    u32 offset = 0;                             /* what was peeked */
    i64 done = 0, error = 0;
    bool local = s->family == AF_UNIX;
#define MORE (ring_fill(&s->in) > offset || s->error || s->state & (PEER_CLOSED | READ_SHUT) || !(s->state & (CONNECTED | CONNECTING)))
    while (m->data.left && !error) {
        u32 n = (u32)min_u64(ring_fill(&s->in) - offset, m->data.left);
        if (n) {
            u32 whole = n;
            n = local ? local_limit(s, offset, n) : n;
            if (m->flags & MSG_TRUNC && !local)
                m->data.left -= n;
            else if (ring_copy(&s->in, offset, &m->data, n))
                return done ? done : -EFAULT;
            if (local)
                local_unpack(s, m, offset, n);
            if (m->flags & MSG_PEEK)
                offset += n;
            else
                socket_taken(s, n);
            done += n;
            if (n < whole)
                break;
        } else if ((u64)done >= target) {
            break;
        } else if (s->error) {
            error = -(done ? 0 : socket_take_error(s));
            break;
        } else if (s->state & (PEER_CLOSED | READ_SHUT)) {
            break;
        } else if (!(s->state & (CONNECTED | CONNECTING))) {
            error = -ENOTCONN;
        } else {
            error = SOCKET_WAIT(&s->queue, MORE, nonblocking, deadline);
        }
    }
    if (local && s->peer && s->peer->name && s->peer->name->size) {
        m->address_size = s->peer->name->size;
        memcpy(m->address, s->peer->name->bytes, m->address_size);
    }
    return done ? done : error;
}

static i64 send_stream(struct socket *s, struct message *m, bool nonblocking) {
    struct passed *passed = NULL;
    u64 deadline = socket_deadline(s->send_timeout);
    bool local = s->family == AF_UNIX;
    i64 done = 0, error = !local ? 0 : m->address_size ? (s->state & CONNECTED ? -EISCONN : -EOPNOTSUPP) : local_collect(m, &passed);
    if (!error && local && !s->peer)
        error = -ENOTCONN;
    while (!error && (m->data.left || !done)) {
        if (s->state & CONNECTING) {
            error = SOCKET_WAIT(&s->queue, !(s->state & CONNECTING), nonblocking, deadline);
            continue;
        }
        if (s->error && !local)
            error = -socket_take_error(s);
        else if (s->state & WRITE_SHUT || !(s->state & CONNECTED))
            error = -EPIPE;
        if (error || !m->data.left)
            break;
        struct ring *r = local ? &s->peer->in : &s->out;
        u32 n = (u32)min_u64(m->data.left, ring_free(r)), at = r->head;
        if (!n) {
            s->no_space = true;
            error = SOCKET_WAIT(&s->queue, socket_writeable(s) || s->error || s->state & WRITE_SHUT, nonblocking, deadline);
            continue;
        }
        if (!ring_reserve(r, n))
            n = r->allocated - ring_fill(r);    /* memory is short: what there is */
        error = n ? ring_put(r, &m->data, n) : -ENOMEM;
        if (error)
            break;
        done += n;
        s->no_space |= m->data.left > 0;
        if (!local) {
            door_changed(s, SOCKET_SENT);
            continue;
        }
        local_pass(s->peer, passed, at, n);
        passed = NULL;
        socket_wake(s->peer, CAN_READ);
    }
    local_free_passed(passed);
    return done ? done : error;
}

/* ---- calls ---- */

static bool nonblocking_call(const struct file *f, const struct message *m) { return m->flags & MSG_DONTWAIT || file_nonblocking(f); }

i64 socket_receive(struct file *f, struct message *m) {
    struct socket *s = f->data;
    if (m->flags & MSG_ERRQUEUE)
        return receive_error(s, m);
    if (m->flags & MSG_OOB)
        return s->family == AF_UNIX ? -EOPNOTSUPP : -EINVAL;
    file_get(f);
    i64 n = socket_is_stream(s) ? receive_stream(s, m, nonblocking_call(f, m)) : receive_record(s, m, nonblocking_call(f, m));
    file_put(f);
    return n;
}

i64 socket_send(struct file *f, struct message *m) {
    struct socket *s = f->data;
    /* TCP sends urgent data in place, as it receives it (RFC 6093). */
    if (m->flags & MSG_OOB && !(socket_is_internet(s) && socket_is_stream(s)))
        return -EOPNOTSUPP;
    file_get(f);
    i64 n = socket_is_stream(s) ? send_stream(s, m, nonblocking_call(f, m)) : send_record(s, m, nonblocking_call(f, m));
    file_put(f);
    if (n == -EPIPE && socket_is_stream(s) && !(m->flags & MSG_NOSIGNAL))
        signal_thread(current_thread(), SIGPIPE);
    return n;
}
