/* Local sockets (unix(7)): names, connections, and files that are passed.
 *
 * A file that is on its way to a socket which is itself on its way to itself, directly or over others, stays
 * open for good: such rings are not looked for. */
#include "core/errno.h"
#include "core/log.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/inode.h"
#include "fs/socket.h"
#include "mm/kmalloc.h"
#include "sys/calls.h"

#define PATH_LIMIT 110                          /* sizeof(struct sockaddr_un) */
#define PASSED_LIMIT 253                        /* SCM_MAX_FD */
#define CONTROL_LIMIT 2048

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
        local_free_passed((struct passed *)l);
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

/* ---- files on their way ---- */

struct passed {
    struct list link;                           /* first: in the receiver's list */
    u32 at, end;                                /* the bytes they came with */
    u32 count;
    struct file *files[];
};

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

static i64 add_files(const u8 *data, u64 size, struct passed **passed) {
    u32 count = (u32)(size / sizeof(i32));
    i32 fd;
    if (count > PASSED_LIMIT || *passed)
        return -EINVAL;
    if (!count)
        return 0;
    if (files_on_their_way + count > fd_limit)
        return -ETOOMANYREFS;
    struct passed *p = kzalloc(sizeof *p + count * sizeof p->files[0]);
    if (!p)
        return -ENOMEM;
    for (; p->count < count; p->count++) {
        memcpy(&fd, data + p->count * sizeof fd, sizeof fd);
        struct file *f = fd_file(fd);
        if (!f) {
            files_on_their_way += p->count;
            local_free_passed(p);
            return -EBADF;
        }
        p->files[p->count] = file_get(f);
    }
    files_on_their_way += count;
    *passed = p;
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
