/* Sockets: connected local pairs. */
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/socketpair.h"
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
    struct span s;
    error = user_span(&s, from, n);
    return error ? error : socket_send(f, &s, flags & MSG_DONTWAIT, flags & MSG_NOSIGNAL);
}

i64 sys_recvfrom(u64 fd, u64 to, u64 n, u64 flags, u64 address, u64 address_size) {
    i64 error;
    struct file *f = socket_of(fd, &error);
    u32 none = 0;
    if (!f)
        return error;
    if (flags & ~(u64)(MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC))
        return -EOPNOTSUPP;
    struct span s;
    if (user_span(&s, to, n))
        return -EFAULT;
    if (address && address_size && copy_to_user(address_size, &none, sizeof none))
        return -EFAULT;
    return socket_receive(f, &s, flags & MSG_DONTWAIT, flags & MSG_PEEK);
}

struct msghdr { u64 name; u32 name_size, pad; u64 vector, count, control, control_size; u32 flags, pad2; };

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
    struct span s;
    error = vector_span(&s, m.vector, m.count);
    if (error)
        return error;
    i64 n = send ? socket_send(f, &s, flags & MSG_DONTWAIT, flags & MSG_NOSIGNAL) : socket_receive(f, &s, flags & MSG_DONTWAIT, flags & MSG_PEEK);
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
