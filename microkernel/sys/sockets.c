/* Sockets: connected local pairs. */
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/socketpair.h"
#include "mm/kmalloc.h"
#include "sys/calls.h"

enum { AF_UNIX = 1 };
enum { MSG_PEEK = 2, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000 };

i64 sys_socketpair(u64 family, u64 type, u64 protocol, u64 to) {
    u32 kind = type & 15, flags = (u32)type & ~15u;
    if (family != AF_UNIX)
        return -EAFNOSUPPORT;
    if (protocol > 1)
        return -EPROTOTYPE;
    if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK) || (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_SEQPACKET))
        return -EINVAL;
    struct file *ends[2];
    i64 error = socketpair_open((int)kind, flags & O_NONBLOCK, ends);
    return error ? error : fd_install_pair(ends, flags & O_CLOEXEC, to);
}

static struct file *socket_of(u64 fd, i64 *error) {
    struct file *f = fd_file((int)fd);
    *error = !f ? -EBADF : !is_socket(f) ? -ENOTSOCK : 0;
    return *error ? NULL : f;
}

i64 sys_sendto(u64 fd, u64 from, u64 n, u64 flags) {
    i64 error;
    struct file *f = socket_of(fd, &error);
    if (!f)
        return error;
    if (flags & ~(u64)(MSG_DONTWAIT | MSG_NOSIGNAL))
        return -EOPNOTSUPP;
    if (!user_range(from, n))
        return -EFAULT;
    struct span s = {from, n, false};
    return socket_send(f, &s, flags & MSG_DONTWAIT, flags & MSG_NOSIGNAL);
}

i64 sys_recvfrom(u64 fd, u64 to, u64 n, u64 flags, u64 address, u64 address_size) {
    i64 error;
    struct file *f = socket_of(fd, &error);
    u32 none = 0;
    if (!f)
        return error;
    if (flags & ~(u64)(MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC))
        return -EOPNOTSUPP;
    if (!user_range(to, n))
        return -EFAULT;
    if (address && address_size && copy_to_user(address_size, &none, sizeof none))
        return -EFAULT;
    struct span s = {to, n, false};
    return socket_receive(f, &s, flags & MSG_DONTWAIT, flags & MSG_PEEK);
}

struct msghdr { u64 name; u32 name_size, pad; u64 vector, count, control, control_size; u32 flags, pad2; };
struct iovec { u64 base, length; };

/* A message in pieces goes through one buffer of the kernel's: it must stay one message. */
#define MESSAGE_LIMIT 262144

static i64 copy_pieces(const struct msghdr *m, u8 *buffer, u64 n, bool send) {
    for (u64 i = 0; i < m->count && n; i++) {
        struct iovec v;
        if (copy_from_user(&v, m->vector + i * sizeof v, sizeof v))
            return -EFAULT;
        u64 piece = min_u64(v.length, n);
        if (send ? copy_from_user(buffer, v.base, piece) : copy_to_user(v.base, buffer, piece))
            return -EFAULT;
        buffer += piece;
        n -= piece;
    }
    return 0;
}

static i64 pieces_length(const struct msghdr *m) {
    u64 total = 0;
    for (u64 i = 0; i < m->count; i++) {
        struct iovec v;
        if (copy_from_user(&v, m->vector + i * sizeof v, sizeof v))
            return -EFAULT;
        if ((i64)v.length < 0)
            return -EINVAL;
        total = min_u64(total + min_u64(v.length, MESSAGE_LIMIT), MESSAGE_LIMIT);
    }
    return (i64)total;
}

static i64 message(u64 fd, u64 at, u64 flags, bool send) {
    i64 error;
    struct file *f = socket_of(fd, &error);
    struct msghdr m;
    if (!f)
        return error;
    if (copy_from_user(&m, at, sizeof m))
        return -EFAULT;
    if (m.count > 1024)
        return -EMSGSIZE;
    if ((send && m.control_size) || flags & ~(u64)(MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC))
        return -EOPNOTSUPP;                     /* no descriptors are passed */
    i64 n = pieces_length(&m);
    u8 *buffer = n < 0 ? NULL : kmalloc((u64)n + 1);
    if (!buffer)
        return n < 0 ? n : -ENOMEM;
    struct span s = {(u64)buffer, (u64)n, true};
    file_get(f);
    if (send && !(n = copy_pieces(&m, buffer, (u64)n, true)))
        n = socket_send(f, &s, flags & MSG_DONTWAIT, flags & MSG_NOSIGNAL);
    else if (!send && (n = socket_receive(f, &s, flags & MSG_DONTWAIT, flags & MSG_PEEK)) > 0 && copy_pieces(&m, buffer, (u64)n, false))
        n = -EFAULT;
    file_put(f);
    kfree(buffer);
    if (!send && n >= 0) {
        m.name_size = 0;
        m.control_size = 0;
        m.flags = 0;
        if (copy_to_user(at, &m, sizeof m))
            return -EFAULT;
    }
    return n;
}

i64 sys_sendmsg(u64 fd, u64 at, u64 flags) { return message(fd, at, flags, true); }
i64 sys_recvmsg(u64 fd, u64 at, u64 flags) { return message(fd, at, flags, false); }

i64 sys_shutdown(u64 fd, u64 how) {
    i64 error;
    struct file *f = socket_of(fd, &error);
    return f ? socket_shutdown(f, (int)how) : error;
}

i64 sys_getsockname(u64 fd, u64 to, u64 size_at) {
    i64 error;
    u32 size;
    u16 family = AF_UNIX;                       /* unnamed */
    if (!socket_of(fd, &error))
        return error;
    if (copy_from_user(&size, size_at, sizeof size) || copy_to_user(to, &family, min_u64(size, sizeof family)))
        return -EFAULT;
    size = sizeof family;
    return copy_to_user(size_at, &size, sizeof size);
}

enum { SOL_SOCKET = 1, SO_TYPE = 3, SO_ERROR = 4, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_ACCEPTCONN = 30 };

i64 sys_getsockopt(u64 fd, u64 level, u64 name, u64 to, u64 size_at) {
    i64 error;
    u32 size;
    struct file *f = socket_of(fd, &error);
    if (!f)
        return error;
    i32 value = 0;
    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    switch (name) {
    case SO_TYPE: value = socket_type(f); break;
    case SO_DOMAIN: value = AF_UNIX; break;
    case SO_SNDBUF: case SO_RCVBUF: value = (i32)socket_buffer_size(f); break;
    case SO_ERROR: case SO_PROTOCOL: case SO_ACCEPTCONN: break;
    default: return -ENOPROTOOPT;
    }
    if (copy_from_user(&size, size_at, sizeof size))
        return -EFAULT;
    size = (u32)min_u64(size, sizeof value);
    return copy_to_user(to, &value, size) || copy_to_user(size_at, &size, sizeof size) ? -EFAULT : 0;
}

i64 sys_setsockopt(u64 fd, u64 level, u64 name) {
    i64 error;
    if (!socket_of(fd, &error))
        return error;
    return level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_RCVBUF) ? 0 : -ENOPROTOOPT;
}
