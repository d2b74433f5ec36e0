/* Sockets: the calls. What a socket of a task's is asked is a request (docs/services.md). */
#include "core/clock.h"
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/socket.h"
#include "sys/calls.h"
#include "sys/request.h"

/* ---- arguments ---- */

static struct file *socket_file(u64 fd, struct socket **s, i64 *error) {
    struct file *f = fd_file((int)fd);
    *s = f ? socket_of(f) : NULL;
    *error = !f || f->flags & O_PATH ? -EBADF : !*s ? -ENOTSOCK : 0;
    return *error ? NULL : f;
}

static i64 take_address(struct message *m, u64 from, u64 size) {
    if ((i32)size < 0 || size > sizeof m->address)
        return -EINVAL;
    m->address_size = (u32)size;
    return copy_from_user(m->address, from, size);
}

/* As getsockname(2) stores one: what fits, and how long it is. */
static i64 give_address(const void *address, u32 size, u64 to, u64 size_at) {
    i32 room;
    if (copy_from_user(&room, size_at, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    return copy_to_user(to, address, min_u64(size, (u32)room)) || copy_to_user(size_at, &size, sizeof size) ? -EFAULT : 0;
}

/* Asks about a socket with something of the kernel's as the buffer. The file stays meanwhile. */
static i64 ask(struct file *f, enum request_operation operation, u64 a, u64 b, void *buffer, u64 size, bool writable) {
    struct socket *s = socket_of(f);
    struct request r = {.event = {.mount = MOUNT_NETWORK, .base = s->number, .buffer = (u64)buffer, .buffer_size = size, .writable = writable}};
    if (!writable)
        s->destinations = 0;                    /* it may change them */
    file_get(f);
    i64 result = request(&r, operation, a, b, 0);
    file_put(f);
    return result;
}

i64 socket_ask_option(struct file *f, bool set, u64 level, u64 name, void *value, u64 size) {
    return ask(f, set ? REQUEST_SET_OPTION : REQUEST_GET_OPTION, level, name, value, size, !set);
}

i64 socket_ask_destination(const struct socket *s, const struct message *m) {
    struct request r = {.event = {.mount = MOUNT_NETWORK, .base = s->number, .buffer = (u64)m->address, .buffer_size = m->address_size}};
    return request(&r, REQUEST_DESTINATION, m->data.left, 0, 0);
}

/* ---- making them ---- */

#define TYPE_FLAGS (O_CLOEXEC | O_NONBLOCK)

static i64 local_type(u64 type, u64 protocol) {
    u32 kind = type & 15;
    if (protocol > 1)
        return -EPROTONOSUPPORT;
    kind = kind == SOCK_RAW ? SOCK_DGRAM : kind;
    return kind == SOCK_STREAM || kind == SOCK_DGRAM || kind == SOCK_SEQPACKET ? (i64)kind : -ESOCKTNOSUPPORT;
}

i64 sys_socket(u64 family, u64 type, u64 protocol) {
    u32 kind = type & 15, flags = (u32)type & ~15u;
    if (flags & ~(u32)TYPE_FLAGS || kind > 10 || !kind)
        return -EINVAL;
    struct socket *s;
    if (family == AF_UNIX) {
        i64 local = local_type(type, protocol);
        if (local < 0)
            return local;
        s = socket_new(AF_UNIX, (u32)local, 0);
    } else if (family == AF_INET || family == AF_INET6 || family == AF_NETLINK || family == AF_PACKET) {
        struct request r = {.event = {.mount = MOUNT_NETWORK}};
        i64 number = request(&r, REQUEST_SOCKET, family, kind, protocol);
        if (number < 0)
            return number == -EIO && !services_thread ? -EAFNOSUPPORT : number;
        s = door_claim((u64)number);
        if (!s)
            return -EIO;
    } else {
        return -EAFNOSUPPORT;
    }
    struct file *f = s ? socket_open(s, flags & O_NONBLOCK) : NULL;
    if (!f && s)
        socket_close(s);
    return f ? fd_install(f, 0, flags & O_CLOEXEC) : -ENOMEM;
}

i64 sys_socketpair(u64 family, u64 type, u64 protocol, u64 to) {
    struct file *ends[2];
    if (family != AF_UNIX)
        return family == AF_INET || family == AF_INET6 ? -EOPNOTSUPP : -EAFNOSUPPORT;
    if (type & ~(u64)(15 | TYPE_FLAGS))
        return -EINVAL;
    i64 kind = local_type(type, protocol), error = kind < 0 ? kind : local_pair((u32)kind, type & O_NONBLOCK, ends);
    return error ? error : fd_install_pair(ends, type & O_CLOEXEC, to);
}

i64 sys_accept4(u64 fd, u64 to, u64 size_at, u64 flags) {
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error), *connection;
    struct message peer = {.address = {AF_UNIX}};
    if (error || flags & ~(u64)TYPE_FLAGS)
        return error ? error : -EINVAL;
    error = fd_room();      /* a connection that gets no number stays in the queue, as on Linux */
    if (!error)
        error = socket_accept(f, flags & O_NONBLOCK, &connection, &peer);
    if (error)
        return error;
    error = to ? give_address(peer.address, peer.address_size ? peer.address_size : 2, to, size_at) : 0;
    if (error) {
        file_put(connection);
        return error;
    }
    return fd_install(connection, 0, flags & O_CLOEXEC);
}

/* ---- names and connections ---- */

i64 sys_bind(u64 fd, u64 from, u64 size) {
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    struct message m = {.flags = 0};
    if (!error)
        error = take_address(&m, from, size);
    if (error)
        return error;
    return s->family == AF_UNIX ? local_bind(s, &m) : ask(f, REQUEST_BIND, 0, 0, m.address, m.address_size, false);
}

static i64 await_connection(const struct file *f, struct socket *s) {
    u64 deadline = socket_deadline(s->send_timeout);
    i64 error = SOCKET_WAIT(&s->queue, !(s->state & CONNECTING), file_nonblocking(f), deadline);
    if (!error) {
        s->state &= ~(u32)UNTOLD;
        error = s->state & CONNECTED ? 0 : s->error ? -socket_take_error(s) : -ECONNABORTED;
        if (error)
            s->state &= ~(u32)(HUNG_UP | PEER_CLOSED | WRITE_SHUT);     /* it can be tried again */
    }
    return error == -EAGAIN ? -EINPROGRESS : error;
}

static i64 connect_served(struct file *f, struct socket *s, struct message *m) {
    if (s->state & UNTOLD)
        return s->state & CONNECTING && file_nonblocking(f) ? -EALREADY : await_connection(f, s);
    if (socket_is_stream(s) && s->state & (CONNECTED | LISTENING))
        return -EISCONN;
    i64 error = ask(f, REQUEST_CONNECT, 0, 0, m->address, m->address_size, false);
    if (error != -EINPROGRESS)
        return error;
    s->state |= UNTOLD;
    if (!(s->state & (CONNECTED | HUNG_UP)) && !s->error)
        s->state |= CONNECTING;
    /* However quick it was: as on Linux, where what comes waits until the call is over. */
    return file_nonblocking(f) ? -EINPROGRESS : await_connection(f, s);
}

i64 sys_connect(u64 fd, u64 from, u64 size) {
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    struct message m = {.flags = 0};
    if (!error)
        error = take_address(&m, from, size);
    if (error)
        return error;
    file_get(f);
    error = s->family == AF_UNIX ? local_connect(s, &m, file_nonblocking(f)) : connect_served(f, s, &m);
    file_put(f);
    return error;
}

i64 sys_listen(u64 fd, u64 backlog) {
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    u64 limited = (u32)backlog > 4096 ? 4096 : backlog;         /* net.core.somaxconn */
    if (error)
        return error;
    return s->family == AF_UNIX ? local_listen(s, (u32)limited) : !socket_is_stream(s) ? -EOPNOTSUPP : ask(f, REQUEST_LISTEN, limited, 0, NULL, 0, false);
}

i64 sys_shutdown(u64 fd, u64 how) {
    static const u32 bits[] = {READ_SHUT, WRITE_SHUT, READ_SHUT | WRITE_SHUT};
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    if (error || how > 2)
        return error ? error : -EINVAL;
    if (s->family == AF_UNIX)
        return local_shutdown(s, bits[how]);
    bool listens = s->state & LISTENING;        /* then that is all that may end */
    file_get(f);
    error = ask(f, REQUEST_SHUTDOWN, how, 0, NULL, 0, false);
    if (!error && !listens) {
        s->state |= bits[how];
        socket_wake(s, socket_events(s));
    }
    file_put(f);
    return error;
}

static i64 name(u64 fd, bool peer, u64 to, u64 size_at) {
    static const u16 unnamed = AF_UNIX;
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    u8 address[SOCKET_ADDRESS_MAX];
    if (error)
        return error;
    if (peer && !(s->state & CONNECTED))
        return -ENOTCONN;
    if (s->family == AF_UNIX) {
        const struct address *a = peer ? s->peer->name : s->name;
        return a ? give_address(a->bytes, a->size, to, size_at) : give_address(&unnamed, sizeof unnamed, to, size_at);
    }
    i64 n = ask(f, REQUEST_NAME, peer, 0, address, sizeof address, true);
    return n < 0 ? n : give_address(address, (u32)min_u64((u64)n, sizeof address), to, size_at);
}

i64 sys_getsockname(u64 fd, u64 to, u64 size_at) { return name(fd, false, to, size_at); }
i64 sys_getpeername(u64 fd, u64 to, u64 size_at) { return name(fd, true, to, size_at); }

/* ---- data ---- */

i64 sys_sendto(u64 fd, u64 from, u64 n, u64 flags, u64 address, u64 address_size) {
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    struct message m = {.flags = (u32)flags};
    if (!error && user_span(&m.data, from, n))
        error = -EFAULT;
    if (!error && address)
        error = take_address(&m, address, address_size);
    return error ? error : socket_send(f, &m);
}

i64 sys_recvfrom(u64 fd, u64 to, u64 n, u64 flags, u64 address, u64 size_at) {
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    struct message m = {.flags = (u32)flags};
    if (!error && user_span(&m.data, to, n))
        error = -EFAULT;
    if (error)
        return error;
    i64 got = socket_receive(f, &m);
    error = got >= 0 && address ? give_address(m.address, m.address_size, address, size_at) : 0;
    return error ? error : got;
}

struct msghdr { u64 name; u32 name_size, pad; u64 vector, count, control, control_size; u32 flags, pad2; };

static i64 start_message(u64 at, u64 flags, struct msghdr *h, struct message *m) {
    *m = (struct message){.flags = (u32)flags};
    if (copy_from_user(h, at, sizeof *h))
        return -EFAULT;
    if (h->count > 1024)
        return -EMSGSIZE;
    m->control = h->control;
    m->control_size = h->control ? h->control_size : 0;
    return !user_range(m->control, m->control_size) ? -EFAULT : vector_span(&m->data, h->vector, h->count);
}

static i64 send_message(struct file *f, u64 at, u64 flags) {
    struct msghdr h;
    struct message m;
    i64 error = start_message(at, flags, &h, &m);
    if (!error && h.name && h.name_size)
        error = take_address(&m, h.name, h.name_size);
    return error ? error : socket_send(f, &m);
}

static i64 receive_message(struct file *f, u64 at, u64 flags) {
    struct msghdr h;
    struct message m;
    i64 error = start_message(at, flags, &h, &m), n = error ? error : socket_receive(f, &m);
    if (n < 0)
        return n;
    if (h.name && copy_to_user(h.name, m.address, min_u64(m.address_size, h.name_size)))
        return -EFAULT;
    h.name_size = h.name ? m.address_size : 0;
    h.control_size = m.control - h.control;
    h.flags = m.told | (u32)(flags & MSG_CMSG_CLOEXEC);
    return copy_to_user(at, &h, sizeof h) ? -EFAULT : n;
}

i64 sys_sendmsg(u64 fd, u64 at, u64 flags) {
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    return f ? send_message(f, at, flags) : error;
}

i64 sys_recvmsg(u64 fd, u64 at, u64 flags) {
    i64 error;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    return f ? receive_message(f, at, flags) : error;
}

/* struct mmsghdr: a message and the result of its call. */
#define MANY_SIZE 64

static i64 many(u64 fd, u64 at, u64 count, u64 flags, u64 deadline, bool receive) {
    i64 error, done = 0;
    struct socket *s;
    struct file *f = socket_file(fd, &s, &error);
    if (!f)
        return error;
    file_get(f);
    for (count = min_u64((u32)count, 1024); done < (i64)count; done++, at += MANY_SIZE) {
        i64 n = receive ? receive_message(f, at, flags & ~(u64)MSG_WAITFORONE) : send_message(f, at, flags);
        u32 length = (u32)n;
        error = n < 0 ? n : copy_to_user(at + sizeof(struct msghdr), &length, sizeof length);
        if (error)
            break;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (clock_now() >= deadline) {
            done++;
            break;
        }
    }
    file_put(f);
    return done ? done : error;
}

i64 sys_sendmmsg(u64 fd, u64 at, u64 count, u64 flags) { return many(fd, at, count, flags, FOREVER, false); }

i64 sys_recvmmsg(u64 fd, u64 at, u64 count, u64 flags, u64 timeout) {
    u64 deadline = FOREVER;
    i64 error = timeout ? deadline_from_user(timeout, false, false, &deadline) : 0;
    return error ? error : many(fd, at, count, flags, deadline, true);
}
