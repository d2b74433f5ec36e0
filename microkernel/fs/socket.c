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
    socket_drop_errors(s);
    kfree(s->name);
    kfree(s->peer_name);
    kfree(s);
}

void socket_refuse_children(struct socket *s) {
    list_for_safe(l, &s->children) {
        struct socket *child = list_item(l, struct socket, in_children);
        door_changed(child, SOCKET_UNACCEPTED);
        socket_close(child);
    }
    s->child_count = 0;
}

void socket_close(struct socket *s) {
    s->closed = true;
    socket_refuse_children(s);
    if (s->family == AF_UNIX)
        local_close(s);
    else
        door_changed(s, SOCKET_CLOSED);
    list_remove(&s->in_children);
    socket_put(s);
}

void socket_drop_errors(struct socket *s) {
    if (s->errors)
        ring_clear(s->errors);
    kfree(s->errors);
    s->errors = NULL;
}

i64 socket_take_error(struct socket *s) {
    i64 error = s->error;
    s->error = 0;
    return error;
}

/* ---- readiness ---- */

static const struct ring *sends_to(const struct socket *s) { return s->family != AF_UNIX ? &s->out : s->peer ? &s->peer->in : NULL; }

bool socket_writeable(const struct socket *s) {
    const struct ring *r = sends_to(s);
    return !r || (ring_free(r) && ring_free(r) >= ring_fill(r) / 2);
}

/* As tcp_poll, unix_poll and datagram_poll of Linux have it. */
u32 socket_events(struct socket *s) {
    u32 state = s->state, shut = state & (PEER_CLOSED | READ_SHUT), events = s->error || s->errors ? POLLERR : 0;
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
    if (state & WRITE_SHUT || socket_writeable(s))
        events |= CAN_WRITE;
    else
        s->no_space = true;
    return events;
}

void socket_has_room(struct socket *s) {
    if (!s->no_space || !socket_writeable(s))
        return;
    s->no_space = false;
    socket_wake(s, CAN_WRITE);
}

void socket_taken(struct socket *s, u32 n) {
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

/* ---- connections ---- */

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

bool socket_lingers(const struct file *f) {
    const struct socket *s = socket_of(f);
    return s && f->refs == 1 && s->linger > 0 && s->door && socket_is_stream(s) && (s->state & (CONNECTED | HUNG_UP)) == CONNECTED;
}

void socket_linger(int fd) {
    struct socket *s = socket_of(fd_file(fd));
    u64 deadline = clock_now() + (u64)s->linger * NS_PER_SEC;
    s->refs++;
    fd_close(fd);
    WAIT_UNTIL(&s->queue, s->state & HUNG_UP, deadline);
    socket_put(s);
}

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
