/* Local sockets (unix(7)): names and connections. */
#include "core/errno.h"
#include "core/log.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/inode.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"
#include "sys/calls.h"

#define PATH_LIMIT 110                          /* sizeof(struct sockaddr_un) */

static struct list abstract = LIST_INIT(abstract);
static u32 next_automatic;

/* ---- names ---- */

static struct socket *find_abstract(const u8 *bytes, u32 size) {
    list_for(l, &abstract) {
        struct socket *s = list_item(l, struct socket, in_abstract);
        if (s->name->size == size && !memcmp(s->name->bytes, bytes, size))
            return s;
    }
    return NULL;
}

static struct address *new_address(const u8 *bytes, u32 size) {
    struct address *a = kmalloc(sizeof *a + size);
    if (a) {
        a->size = size;
        memcpy(a->bytes, bytes, size);
    }
    return a;
}

/* The path in a name, resolved; to be released. */
static i64 find_path(const struct message *name, unsigned flags, struct path **path) {
    struct path *p = path_buffer();
    if (!p)
        return -ENOMEM;
    memcpy(p->buffer, name->address + 2, name->address_size - 2);
    p->buffer[name->address_size - 2] = 0;
    i64 error = path_text_at((u64)AT_FDCWD, p, flags);
    if (error)
        path_release(p);
    *path = p;
    return error;
}

static i64 check_name(const struct message *name) {
    u16 family;
    memcpy(&family, name->address, sizeof family);
    return name->address_size < sizeof family || name->address_size > PATH_LIMIT || family != AF_UNIX ? -EINVAL : 0;
}

/* Who has the name, with a reference. */
static i64 find(const struct socket *from, const struct message *name, struct socket **found) {
    i64 error = check_name(name);
    struct socket *s = NULL;
    if (error || name->address_size == 2)
        return -EINVAL;
    if (!name->address[2]) {
        s = find_abstract(name->address, name->address_size);
    } else {
        struct path *p;
        error = find_path(name, PATH_FOLLOW, &p);
        if (error)
            return error;
        if (!p->mount && (p->inode->mode & S_IFMT) == S_IFSOCK)
            s = p->inode->socket;
        path_release(p);
    }
    if (!s)
        return -ECONNREFUSED;
    if (s->type != from->type)
        return -EPROTOTYPE;
    s->refs++;
    *found = s;
    return 0;
}

static i64 bind_path(struct socket *s, const struct message *name) {
    struct path *p;
    i64 error = find_path(name, PATH_PARENT, &p);
    if (error)
        return error;
    if (p->mount)
        error = -EOPNOTSUPP;                    /* names of sockets are the kernel's own file system's */
    else if (p->inode || p->wants_directory)
        error = p->inode ? -EADDRINUSE : -ENOENT;
    else
        error = path_create(p, inode_new(S_IFSOCK | (0777 & ~creation_mask)));
    if (!error) {
        s->inode = inode_get(p->inode);
        s->inode->socket = s;
    }
    path_release(p);
    return error;
}

i64 local_bind(struct socket *s, const struct message *name) {
    u8 automatic[8] = {AF_UNIX};
    i64 error = check_name(name);
    if (error || s->name)
        return -EINVAL;
    const u8 *bytes = name->address;
    u32 size = name->address_size;
    if (size == 2) {
        bytes = automatic;
        size = sizeof automatic;
        do {                                    /* as many names as there are, at most: there are fewer sockets */
            char digits[8];
            format_text(digits, sizeof digits, "%05x", next_automatic++ & 0xfffff);
            memcpy(automatic + 3, digits, 5);
        } while (find_abstract(automatic, size));
    } else if (bytes[2]) {
        const u8 *end = memchr(bytes + 2, 0, size - 2);
        size = end ? (u32)(end - bytes) + 1 : size + 1;         /* Linux counts the NUL */
    } else if (find_abstract(bytes, size)) {
        return -EADDRINUSE;
    }
    struct address *a = new_address(bytes, size);
    if (!a)
        return -ENOMEM;
    if (bytes[2] && (a->bytes[size - 1] = 0, error = bind_path(s, name))) {
        kfree(a);
        return error;
    }
    s->name = a;
    if (!bytes[2])
        list_append(&abstract, &s->in_abstract);
    return 0;
}

/* ---- connections ---- */

static void set_peer(struct socket *s, struct socket *peer) {
    list_remove(&s->in_peers);
    struct socket *before = s->peer;
    s->peer = peer;
    if (peer) {
        peer->refs++;
        list_append(&peer->peers, &s->in_peers);
        s->state |= CONNECTED;
    } else {
        s->state &= ~(u32)CONNECTED;
    }
    if (before)
        socket_put(before);
}

i64 local_pair(u32 type, u32 flags, struct file *ends[2]) {
    struct socket *a = socket_new(AF_UNIX, type, 0), *b = socket_new(AF_UNIX, type, 0);
    ends[0] = a && b ? socket_open(a, flags) : NULL;
    ends[1] = ends[0] ? socket_open(b, flags) : NULL;
    if (ends[1]) {
        set_peer(a, b);
        set_peer(b, a);
        return 0;
    }
    if (ends[0])
        file_put(ends[0]);
    else if (a)
        socket_put(a);
    if (b)
        socket_put(b);
    return -ENOMEM;
}

static bool connects(const struct socket *s) { return s->type == SOCK_STREAM || s->type == SOCK_SEQPACKET; }

/* A listening one with room for another connection, with a reference. */
static i64 await_listener(struct socket *s, const struct message *name, bool nonblocking, struct socket **listener) {
    u64 deadline = socket_deadline(s->send_timeout);
    for (;;) {
        struct socket *l;
        i64 error = find(s, name, &l);
        if (error)
            return error;
        if (!(l->state & LISTENING))
            error = -ECONNREFUSED;
        else if (l->child_count <= l->backlog) {
            *listener = l;
            return 0;
        } else
            error = SOCKET_WAIT(&l->queue, l->child_count <= l->backlog || !(l->state & LISTENING), nonblocking, deadline);
        socket_put(l);
        if (error)
            return error;
    }
}

i64 local_connect(struct socket *s, const struct message *name, bool nonblocking) {
    struct socket *other, *child;
    u16 family = AF_UNSPEC;
    i64 error;
    memcpy(&family, name->address, min_u64(sizeof family, name->address_size));
    if (!connects(s)) {
        if (family == AF_UNSPEC && name->address_size >= sizeof family) {
            set_peer(s, NULL);
            return 0;
        }
        error = find(s, name, &other);
        if (error)
            return error;
        if (other->peer && other->peer != s)
            error = -EPERM;
        else
            set_peer(s, other);
        socket_put(other);
        return error;
    }
    if (s->state & (CONNECTED | LISTENING))
        return s->state & CONNECTED ? -EISCONN : -EINVAL;
    error = await_listener(s, name, nonblocking, &other);
    if (error)
        return error;
    child = s->state & (CONNECTED | LISTENING) ? NULL : socket_new(AF_UNIX, s->type, 0);
    if (child && other->name && !(child->name = new_address(other->name->bytes, other->name->size))) {
        socket_put(child);
        child = NULL;
    }
    if (child) {
        set_peer(s, child);
        set_peer(child, s);
        child->pass_credentials = other->pass_credentials;
        socket_queue(other, child);
        socket_wake(s, POLLOUT | POLLWRNORM);
    }
    socket_put(other);
    return child ? 0 : s->state & CONNECTED ? -EISCONN : -ENOMEM;
}

i64 local_listen(struct socket *s, u32 backlog) {
    if (!connects(s))
        return -EOPNOTSUPP;
    if (!s->name || s->state & CONNECTED)
        return -EINVAL;
    s->state |= LISTENING;
    s->backlog = backlog;
    socket_wake(s, 0);
    return 0;
}

static void add_state(struct socket *s, u32 bits) {
    s->state |= bits;
    socket_wake(s, socket_events(s));
}

i64 local_shutdown(struct socket *s, u32 bits) {
    if (connects(s) && !(s->state & (CONNECTED | LISTENING)))
        return -ENOTCONN;
    add_state(s, bits);
    if (s->peer && connects(s))
        add_state(s->peer, (bits & READ_SHUT ? WRITE_SHUT : 0) | (bits & WRITE_SHUT ? PEER_CLOSED : 0));
    return 0;
}

void local_close(struct socket *s) {
    list_remove(&s->in_abstract);
    if (s->inode) {
        s->inode->socket = NULL;
        inode_put(s->inode);
    }
    s->state &= ~(u32)LISTENING;
    if (s->peer && connects(s)) {
        if (ring_fill(&s->in) || !list_empty(&s->in_children))
            s->peer->error = ECONNRESET;        /* what it has sent is lost */
        add_state(s->peer, PEER_CLOSED | WRITE_SHUT | HUNG_UP);
    }
    list_for(l, &s->peers)
        if (!connects(s))
            socket_has_room(list_item(l, struct socket, in_peers));
    set_peer(s, NULL);
    ring_clear(&s->in);
    list_for_safe(l, &s->passed) {
        list_remove(l);
        local_free_passed(list_item(l, struct passed, link));
    }
    socket_wake(s, 0);
}

/* Unconnected ones say where to; the reference is the caller's. */
i64 local_target(struct socket *s, const struct message *m, struct socket **target) {
    if (m->address_size && connects(s))
        return s->state & CONNECTED ? -EISCONN : -EOPNOTSUPP;
    if (m->address_size) {
        i64 error = find(s, m, target);
        if (!error && (*target)->peer && (*target)->peer != s) {
            socket_put(*target);
            error = -EPERM;
        }
        return error;
    }
    if (!s->peer)
        return -ENOTCONN;
    if (s->peer->closed && !connects(s)) {
        set_peer(s, NULL);
        return -ECONNREFUSED;
    }
    s->peer->refs++;
    *target = s->peer;
    return 0;
}
