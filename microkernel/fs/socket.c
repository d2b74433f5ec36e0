#include "fs/socket.h"

#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"
#include "sys/request.h"

#define DEFAULT_LIMIT 212992                    /* net.core.rmem_default and wmem_default */

struct socket *socket_new(u32 family, u32 type, i32 protocol) {
    struct socket *s = kzalloc(sizeof *s);
    if (!s)
        return NULL;
    s->refs = 1;
    s->family = (u16)family;
    s->type = (u16)type;
    s->protocol = protocol;
    s->in.limit = s->out.limit = DEFAULT_LIMIT;
    s->linger = -1;
    s->receive_low = 1;
    waitqueue_init(&s->queue);
    struct list *lists[] = {&s->children, &s->in_children, &s->in_changed, &s->peers, &s->in_peers, &s->in_abstract, &s->passed};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        list_init(lists[i]);
    return s;
}

void socket_put(struct socket *s) {
    if (--s->refs)
        return;
    door_forget(s);
    ring_clear(&s->in);
    ring_clear(&s->out);
    kfree(s->name);
    kfree(s->peer_name);
    kfree(s);
}

void socket_close(struct socket *s) {
    s->closed = true;
    list_for_safe(l, &s->children)
        socket_close(list_item(l, struct socket, in_children));
    if (s->family == AF_UNIX)
        local_close(s);
    else
        door_changed(s, SOCKET_CLOSED);
    list_remove(&s->in_children);
    socket_put(s);
}

i64 socket_take_error(struct socket *s) {
    i64 error = s->error;
    s->error = 0;
    return error;
}

/* ---- readiness ---- */

static const struct ring *sends_to(const struct socket *s) { return s->family != AF_UNIX ? &s->out : s->peer ? &s->peer->in : NULL; }

/* A third of it is free, as on Linux, so that a writer is not woken for every byte. */
static bool writeable(const struct socket *s) {
    const struct ring *r = sends_to(s);
    return !r || (ring_room(r) && ring_room(r) >= ring_fill(r) / 2);
}

#define CAN_READ (POLLIN | POLLRDNORM)
#define CAN_WRITE (POLLOUT | POLLWRNORM)

/* As tcp_poll, unix_poll and datagram_poll of Linux have it. */
u32 socket_events(struct socket *s) {
    u32 state = s->state, shut = state & (PEER_CLOSED | READ_SHUT), events = s->error ? POLLERR : 0;
    bool connects = socket_is_stream(s) || (s->family == AF_UNIX && s->type == SOCK_SEQPACKET);
    if (state & LISTENING)
        return events | (list_empty(&s->children) ? 0 : CAN_READ);
    if (state & HUNG_UP || (shut && state & WRITE_SHUT) || (connects && !(state & (CONNECTED | CONNECTING))))
        events |= POLLHUP;
    if (shut)
        events |= CAN_READ | POLLRDHUP;
    if (state & CONNECTING)
        return events;
    if (ring_fill(&s->in) >= (socket_is_stream(s) ? s->receive_low : 1))
        events |= CAN_READ;
    if (state & WRITE_SHUT || writeable(s))
        events |= CAN_WRITE;
    else
        s->no_space = true;
    return events;
}

void socket_has_room(struct socket *s) {
    if (!s->no_space || !writeable(s))
        return;
    s->no_space = false;
    socket_wake(s, CAN_WRITE);
}

/* After the program has read. */
static void taken(struct socket *s, u32 n) {
    ring_drop(&s->in, n);
    if (!ring_fill(&s->in))
        ring_clear(&s->in);                     /* a connection that rests costs no memory */
    if (s->family == AF_UNIX) {
        list_for(l, &s->peers)
            socket_has_room(list_item(l, struct socket, in_peers));
        if (!socket_is_stream(s))
            socket_wake(s, 0);                  /* those who send without being connected */
    } else if (s->notify_free && ring_room(&s->in) >= s->notify_free) {
        s->notify_free = 0;
        door_changed(s, SOCKET_TAKEN);
    }
}

/* ---- control messages ---- */

struct control_header { u64 length; u32 level, type; };

void message_put_control(struct message *m, u32 level, u32 type, const void *data, size_t n) {
    struct control_header h = {sizeof h + n, level, type};
    if (h.length > m->control_size) {
        m->told |= MSG_CTRUNC;
        if (m->control_size < sizeof h)
            return;
        h.length = m->control_size;
    }
    if (copy_to_user(m->control, &h, sizeof h) || copy_to_user(m->control + sizeof h, data, h.length - sizeof h)) {
        m->told |= MSG_CTRUNC;
        return;
    }
    u64 space = min_u64(ALIGN_UP(h.length, 8), m->control_size);
    m->control += space;
    m->control_size -= space;
}

/* Those that services have delivered with a datagram. */
static void put_controls(struct message *m, const u8 *bytes, u32 n) {
    struct control_header h;
    for (u32 at = 0; at + sizeof h <= n; at += (u32)ALIGN_UP(h.length, 8)) {
        memcpy(&h, bytes + at, sizeof h);
        if (h.length < sizeof h || h.length > n - at)
            break;
        message_put_control(m, h.level, h.type, bytes + at + sizeof h, h.length - sizeof h);
    }
}

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
    u8 control[SOCKET_CONTROL_MAX];
    struct span name = kernel_span(m->address, sizeof m->address), controls = kernel_span(control, sizeof control);
    ring_copy(&s->in, sizeof r, &name, m->address_size = r.address_size);
    ring_copy(&s->in, sizeof r + r.address_size, &controls, r.control_size);
    u64 n = min_u64(r.size, m->data.left);
    if (ring_copy(&s->in, (u32)sizeof r + r.address_size + r.control_size, &m->data, (u32)n))
        return -EFAULT;
    put_controls(m, control, r.control_size);
    if (s->family == AF_UNIX)
        local_unpack(s, m, 0, 1);
    m->told |= n < r.size ? MSG_TRUNC : 0;
    if (!(m->flags & MSG_PEEK))
        taken(s, record_size(r.address_size, r.control_size, r.size));
    return m->flags & MSG_TRUNC ? r.size : (i64)n;
}

/* What Linux refuses at once, since services answer nobody. */
static i64 check_destination(const struct socket *s, const struct message *m) {
    u16 family, port;
    bool internet = s->family == AF_INET || s->family == AF_INET6;
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
    if (size + 1024 > r->limit || (s->family == AF_INET && s->type == SOCK_DGRAM && size > LONGEST_UDP))
        error = -EMSGSIZE;
    while (!error && ring_room(r) < need && !target->closed && !(s->state & WRITE_SHUT)) {
        s->no_space = true;
        error = SOCKET_WAIT(&target->queue, ring_room(r) >= need || target->closed || s->state & WRITE_SHUT, nonblocking, deadline);
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
                taken(s, n);
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
        if (s->state & CONNECTING)
            error = SOCKET_WAIT(&s->queue, !(s->state & CONNECTING), nonblocking, deadline);
        else if (s->error && !local)
            error = -socket_take_error(s);
        else if (s->state & WRITE_SHUT || !(s->state & CONNECTED))
            error = -EPIPE;
        if (error || !m->data.left)
            break;
        if (s->state & CONNECTING)
            continue;
        struct ring *r = local ? &s->peer->in : &s->out;
        u32 n = (u32)min_u64(m->data.left, ring_room(r)), at = r->head;
        if (!n) {
            s->no_space = true;
            error = SOCKET_WAIT(&s->queue, writeable(s) || s->error || s->state & WRITE_SHUT, nonblocking, deadline);
            continue;
        }
        error = ring_reserve(r, n) ? ring_put(r, &m->data, n) : -ENOMEM;
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
    if (m->flags & (MSG_OOB | MSG_ERRQUEUE))
        return m->flags & MSG_ERRQUEUE ? -EAGAIN : s->family == AF_UNIX ? -EOPNOTSUPP : -EINVAL;
    file_get(f);
    i64 n = socket_is_stream(s) ? receive_stream(s, m, nonblocking_call(f, m)) : receive_record(s, m, nonblocking_call(f, m));
    file_put(f);
    return n;
}

i64 socket_send(struct file *f, struct message *m) {
    struct socket *s = f->data;
    if (m->flags & MSG_OOB)
        return s->family == AF_INET || s->family == AF_INET6 ? -EINVAL : -EOPNOTSUPP;
    file_get(f);
    i64 n = socket_is_stream(s) ? send_stream(s, m, nonblocking_call(f, m)) : send_record(s, m, nonblocking_call(f, m));
    file_put(f);
    if (n == -EPIPE && socket_is_stream(s) && !(m->flags & MSG_NOSIGNAL))
        signal_thread(current_thread(), SIGPIPE);
    return n;
}

bool socket_queue(struct socket *listener, struct socket *child) {
    if (!(listener->state & LISTENING) || listener->child_count > listener->backlog)
        return false;
    list_append(&listener->children, &child->in_children);
    listener->child_count++;
    socket_wake(listener, CAN_READ);
    return true;
}

i64 socket_accept(struct file *f, u32 flags, struct file **file, struct message *peer) {
    struct socket *s = f->data;
    if (!socket_is_stream(s) && s->type != SOCK_SEQPACKET)
        return -EOPNOTSUPP;
    if (!(s->state & LISTENING))
        return -EINVAL;
    u64 deadline = socket_deadline(s->receive_timeout);
    file_get(f);
    i64 error = SOCKET_WAIT(&s->queue, !list_empty(&s->children) || !(s->state & LISTENING) || s->error, file_nonblocking(f), deadline);
    if (!error && list_empty(&s->children))
        error = s->error ? -socket_take_error(s) : -EINVAL;
    struct socket *child = error ? NULL : list_first(&s->children, struct socket, in_children);
    *file = child ? socket_open(child, flags) : NULL;
    if (*file) {
        const struct address *a = s->family != AF_UNIX ? child->peer_name : child->peer ? child->peer->name : NULL;
        list_remove(&child->in_children);
        s->child_count--;
        peer->address_size = a ? a->size : 0;
        memcpy(peer->address, a ? a->bytes : NULL, peer->address_size);
        kfree(child->peer_name);
        child->peer_name = NULL;
        if (s->family == AF_UNIX)
            socket_wake(s, 0);                  /* those who wait to connect */
        else
            door_changed(s, SOCKET_ACCEPTED);
    }
    file_put(f);
    return *file ? 0 : error ? error : -ENOMEM;
}

/* ---- as open files ---- */

static i64 read_socket(struct file *f, struct span *to, u64 *position) {
    struct message m = {.data = *to};
    i64 n = to->left ? socket_receive(f, &m) : 0;
    *to = m.data;
    return n;
}

static i64 write_socket(struct file *f, struct span *from, u64 *position) {
    struct message m = {.data = *from};
    i64 n = socket_send(f, &m);
    *from = m.data;
    return n;
}

static u32 poll_socket(struct file *f, struct waitqueue *queues[2]) {
    struct socket *s = f->data;
    queues[0] = &s->queue;
    return socket_events(s);
}

static void release_socket(struct file *f) { socket_close(f->data); }

enum { SIOCOUTQ = 0x5411, SIOCGIFCONF = 0x8912 };
struct interfaces { i32 length; u32 pad; u64 buffer; };

/* Interfaces are the services': of any socket. */
static i64 ask_services(struct file *f, u32 command, u64 argument) {
    struct socket *s = f->data;
    struct request r = {.event = {.mount = MOUNT_NETWORK, .base = s->number, .buffer = argument, .buffer_size = 40, .writable = true}};
    struct interfaces list;
    if (command == SIOCGIFCONF) {
        if (copy_from_user(&list, argument, sizeof list))
            return -EFAULT;
        r.event.buffer = list.buffer;
        r.event.buffer_size = list.buffer ? (u32)(list.length > 0 ? list.length : 0) : 0;
    }
    if (!user_range(r.event.buffer, r.event.buffer_size))
        return -EFAULT;
    file_get(f);
    i64 n = request(&r, REQUEST_SOCKET_IOCTL, command, 0, 0);
    file_put(f);
    if (command != SIOCGIFCONF || n < 0)
        return n;
    list.length = (i32)n;
    return copy_to_user(argument, &list, sizeof list);
}

static i64 ioctl_socket(struct file *f, u32 command, u64 argument) {
    struct socket *s = f->data;
    const struct ring *out = sends_to(s);
    u32 value;
    switch (command) {
    case FIONREAD:
        if (s->state & LISTENING)
            return -EINVAL;
        value = socket_is_stream(s) || !ring_fill(&s->in) ? ring_fill(&s->in) : record_first(&s->in).size;
        return copy_to_user(argument, &value, sizeof value);
    case SIOCOUTQ:
        value = out ? ring_fill(out) : 0;
        return copy_to_user(argument, &value, sizeof value);
    }
    return command >> 8 == 0x89 ? ask_services(f, command, argument) : -ENOTTY;
}

static const struct file_ops socket_ops = {
    .name = "socket", .mode = S_IFSOCK | 0777, .read = read_socket, .write = write_socket, .poll = poll_socket, .ioctl = ioctl_socket, .release = release_socket,
};

struct file *socket_open(struct socket *s, u32 flags) { return file_new(&socket_ops, O_RDWR | flags, s); }

struct socket *socket_of(const struct file *f) { return f->ops == &socket_ops ? f->data : NULL; }
