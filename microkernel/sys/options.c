/* Options of sockets. The kernel's own are those of its waiting, and all of local sockets; the rest are requests. */
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/socket.h"
#include "sys/calls.h"

enum {
    SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_BROADCAST = 6, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_OOBINLINE = 10, SO_LINGER = 13,
    SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17, SO_RCVLOWAT = 18, SO_SNDLOWAT = 19, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_TIMESTAMP = 29,
    SO_ACCEPTCONN = 30, SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_PROTOCOL = 38, SO_DOMAIN = 39,
};

/* Those that a local socket keeps and nothing comes of. */
#define KEPT (1ull << SO_REUSEADDR | 1ull << SO_BROADCAST | 1ull << SO_KEEPALIVE | 1ull << SO_OOBINLINE | 1ull << SO_REUSEPORT | 1ull << SO_TIMESTAMP)

#define LONGEST_VALUE 1024

struct timeval { i64 sec, usec; };
struct linger { i32 on, seconds; };

/* The larger of a value and its least, the smaller of that and what Linux allows root. */
static u32 buffer_size(i32 wanted) { return (u32)min_u64(max_u64(wanted > 0 ? 2 * (u64)wanted : 0, 4608), 8 << 20); }

/* 1: it is not the kernel's. */
static i64 set_own(struct socket *s, u64 name, const void *bytes, u64 size) {
    struct timeval t;
    struct linger l;
    i32 value = 0;
    bool local = s->family == AF_UNIX;
    memcpy(&value, bytes, min_u64(size, sizeof value));
    if (size < sizeof value)
        return local ? -EINVAL : 1;
    switch (name) {
    case SO_RCVTIMEO: case SO_SNDTIMEO:
        if (size < sizeof t)
            return -EINVAL;
        memcpy(&t, bytes, sizeof t);
        if (t.usec < 0 || t.usec >= 1000000)
            return -EDOM;
        *(name == SO_RCVTIMEO ? &s->receive_timeout : &s->send_timeout) = t.sec < 0 ? 1 : min_u64((u64)t.sec, 1ull << 33) * NS_PER_SEC + (u64)t.usec * 1000;
        return 0;
    case SO_RCVLOWAT:
        s->receive_low = value < 0 ? INT32_MAX : value ? (u32)value : 1;
        return 0;
    case SO_LINGER:
        if (size < sizeof l)
            return -EINVAL;
        memcpy(&l, bytes, sizeof l);
        s->linger = l.on ? (i32)min_u64((u32)l.seconds, INT32_MAX) : -1;
        return local ? 0 : 1;                   /* services want to know, too */
    case SO_TYPE: case SO_ERROR: case SO_DOMAIN: case SO_PROTOCOL: case SO_ACCEPTCONN: case SO_PEERCRED: case SO_SNDLOWAT:
        return -ENOPROTOOPT;
    }
    if (!local)
        return 1;
    switch (name) {
    case SO_PASSCRED:
        s->pass_credentials = value;
        return 0;
    case SO_SNDBUF: case SO_SNDBUFFORCE:        /* what is sent lies in the receiver's buffer, whose size holds */
        s->out.limit = buffer_size(value);
        return 0;
    case SO_RCVBUF: case SO_RCVBUFFORCE:
        s->in.limit = buffer_size(value);
        return 0;
    }
    if (name >= 64 || !(KEPT >> name & 1))
        return -ENOPROTOOPT;
    s->options = value ? s->options | 1ull << name : s->options & ~(1ull << name);
    return 0;
}

/* Size of the value; 0: it is not the kernel's. */
static i64 get_own(struct socket *s, u64 name, void *to) {
    i32 value = 0;
    struct timeval t;
    struct linger l = {s->linger >= 0, s->linger >= 0 ? s->linger : 0};
    u64 timeout = name == SO_RCVTIMEO ? s->receive_timeout : s->send_timeout;
    u32 credentials[3] = {s->state & (CONNECTED | LISTENING) ? PROCESS_ID : 0, s->state & (CONNECTED | LISTENING) ? 0 : UINT32_MAX, 0};
    bool local = s->family == AF_UNIX;
    credentials[2] = credentials[1];
    switch (name) {
    case SO_TYPE: value = s->type; break;
    case SO_DOMAIN: value = s->family; break;
    case SO_PROTOCOL: value = s->protocol; break;
    case SO_ERROR: value = (i32)socket_take_error(s); break;
    case SO_ACCEPTCONN: value = (s->state & LISTENING) != 0; break;
    case SO_RCVLOWAT: value = (i32)s->receive_low; break;
    case SO_SNDLOWAT: value = 1; break;
    case SO_LINGER:
        memcpy(to, &l, sizeof l);
        return sizeof l;
    case SO_RCVTIMEO: case SO_SNDTIMEO:
        t = (struct timeval){(i64)(timeout / NS_PER_SEC), (i64)(timeout % NS_PER_SEC / 1000)};
        memcpy(to, &t, sizeof t);
        return sizeof t;
    case SO_PEERCRED:
        memcpy(to, credentials, sizeof credentials);
        return sizeof credentials;
    case SO_SNDBUF: case SO_RCVBUF:
        if (!local)
            return 0;
        value = (i32)(name == SO_SNDBUF ? s->out.limit : s->in.limit);
        break;
    default:
        if (!local)
            return 0;
        if (name != SO_PASSCRED && (name >= 64 || !(KEPT >> name & 1)))
            return -ENOPROTOOPT;
        value = name == SO_PASSCRED ? s->pass_credentials : s->options >> name & 1;
    }
    memcpy(to, &value, sizeof value);
    return sizeof value;
}

static struct socket *find(u64 fd, struct file **f, i64 *error) {
    *f = fd_file((int)fd);
    struct socket *s = *f ? socket_of(*f) : NULL;
    *error = !*f || (*f)->flags & O_PATH ? -EBADF : s ? 0 : -ENOTSOCK;
    return *error ? NULL : s;
}

i64 sys_getsockopt(u64 fd, u64 level, u64 name, u64 to, u64 size_at) {
    i64 error;
    i32 room;
    u8 value[LONGEST_VALUE] = {0};
    struct file *f;
    struct socket *s = find(fd, &f, &error);
    if (error)
        return error;
    if (copy_from_user(&room, size_at, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    i64 n = level == SOL_SOCKET ? get_own(s, name, value) : 0;
    if (!n && s->family == AF_UNIX)
        return -EOPNOTSUPP;
    if (!n)
        n = socket_ask_option(f, false, level, name, value, min_u64((u32)room, sizeof value));
    if (n < 0)
        return n;
    u32 size = (u32)min_u64(min_u64((u64)n, (u32)room), sizeof value);
    return copy_to_user(to, value, size) || copy_to_user(size_at, &size, sizeof size) ? -EFAULT : 0;
}

i64 sys_setsockopt(u64 fd, u64 level, u64 name, u64 from, u64 size) {
    i64 error;
    u8 value[LONGEST_VALUE];
    struct file *f;
    struct socket *s = find(fd, &f, &error);
    if (error)
        return error;
    if ((i32)size < 0 || (u32)size > sizeof value)
        return -EINVAL;
    if (copy_from_user(value, from, (u32)size))
        return -EFAULT;
    i64 own = level == SOL_SOCKET ? set_own(s, name, value, (u32)size) : 1;
    if (own <= 0)
        return own;
    return s->family == AF_UNIX ? -EOPNOTSUPP : socket_ask_option(f, true, level, name, value, (u32)size);
}
