/* Sockets: what all families have in common. Local ones (fs/local.c) deliver to each other; of the others tasks
 * have the far end (fs/door.c).
 *
 * A socket belongs to the program, from its first descriptor on or while it waits to be accepted, and to the
 * services, while they have its door. Either may be done with it first. */
#pragma once

#include "fs/file.h"
#include "fs/ring.h"
#include "sys/request_abi.h"

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5 };
enum {
    MSG_OOB = 1, MSG_PEEK = 2, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_EOR = 0x80, MSG_WAITALL = 0x100, MSG_ERRQUEUE = 0x2000,
    MSG_NOSIGNAL = 0x4000, MSG_WAITFORONE = 0x10000, MSG_CMSG_CLOEXEC = 0x40000000,
};
enum { SOL_SOCKET = 1, SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };
/* Of the kernel's own, beside those of services: */
enum {
    CONNECTING = 256,                           /* connect(2) has begun and not ended */
    UNTOLD = 512,                               /* how it ended, connect(2) has not said yet */
};

struct address {
    u32 size;
    u8 bytes[];
};

struct socket {
    struct ring in, out;                        /* first: DOOR_NEW; `out` is empty in local sockets */
    u32 refs;
    u16 family, type;
    i32 protocol;
    u32 state;
    i32 error;                                  /* what the next call fails with, or SO_ERROR says */
    bool closed;                                /* the program is done with it */
    bool no_space;                              /* somebody has seen that it cannot be written */
    bool pass_credentials;
    i32 linger;                                 /* seconds; -1: close(2) does not wait */
    u32 receive_low;                            /* SO_RCVLOWAT */
    u64 receive_timeout, send_timeout;          /* nanoseconds; 0: none */
    u64 options;                                /* of SOL_SOCKET, on or off, by number */
    struct waitqueue queue;
    struct list children, in_children;          /* not accepted yet */
    u32 child_count, backlog;
    struct address *name, *peer_name;           /* a local socket's own; the peer's of one that waits to be accepted */
    /* Of services (fs/door.c). */
    u64 door;                                   /* theirs; 0: they have none */
    u32 number, changed, notify_free;
    struct ring *errors;                        /* records that MSG_ERRQUEUE asks for; NULL: none */
    u32 destinations;                           /* fs/destinations.c; 0: nothing is known of any */
    struct list in_changed;
    /* Local sockets. */
    struct socket *peer;                        /* a reference: where its data goes */
    struct list peers, in_peers;                /* those whose peer it is */
    struct list in_abstract;
    struct inode *inode;
    struct list passed;                         /* files on their way */
};

/* What is sent or received in one call. */
struct message {
    struct span data;
    u32 flags;                                  /* MSG_* of the call */
    u32 told;                                   /* MSG_* of its result */
    bool credentials_told;
    u32 address_size;
    u8 address[SOCKET_ADDRESS_MAX];
    u64 control;                                /* the program's memory */
    u64 control_size;                           /* what is left of it */
};

struct socket *socket_new(u32 family, u32 type, i32 protocol);
void socket_put(struct socket *s);
/* An open file that takes over the program's reference; NULL without memory. */
struct file *socket_open(struct socket *s, u32 flags);
/* Does close(2) of its last descriptor wait (SO_LINGER)? Closes that, and waits until the services are through. */
bool socket_lingers(const struct file *f);
void socket_linger(int fd);
/* The program is done with it. */
void socket_close(struct socket *s);
/* So it is with those that nobody has accepted. */
void socket_refuse_children(struct socket *s);
struct socket *socket_of(const struct file *f); /* NULL: it is none */

i64 socket_receive(struct file *f, struct message *m);
i64 socket_send(struct file *f, struct message *m);
/* fs/controls.c: gives the program one, or those that services have delivered with a datagram. */
void message_put_control(struct message *m, u32 level, u32 type, const void *data, size_t n);
void message_put_controls(struct message *m, const u8 *bytes, u32 n);
/* Are those of the program such as IP knows? -EINVAL, -EFAULT. */
i64 message_check_controls(const struct message *m);
/* The next connection that waits, as an open file, and its peer's address. */
i64 socket_accept(struct file *f, u32 flags, struct file **file, struct message *peer);
bool socket_queue(struct socket *listener, struct socket *child);

/* Asks services for an option (sys/sockets.c), or has them set it: its size or 0. */
i64 socket_ask_option(struct file *f, bool set, u64 level, u64 name, void *value, u64 size);
/* ---- where datagrams may go (fs/destinations.c); to be forgotten: socket->destinations = 0 ---- */

/* 0, or what sendto(2) fails with, which services may be asked for (sys/sockets.c). */
i64 destination_check(struct socket *s, const struct message *m);
/* A datagram has come from there. */
void destination_seen(struct socket *s, const struct message *m);
/* How long a datagram to there may be; 0: that is not known; an error. */
i64 socket_ask_destination(const struct socket *s, const struct message *m);

/* What SO_ERROR says; it is gone then. */
i64 socket_take_error(struct socket *s);
void socket_drop_errors(struct socket *s);
u32 socket_events(struct socket *s);
static inline void socket_wake(struct socket *s, u32 events) { waitqueue_wake(&s->queue, events); }
static inline bool socket_is_internet(const struct socket *s) { return s->family == AF_INET || s->family == AF_INET6; }
static inline bool socket_is_stream(const struct socket *s) { return s->type == SOCK_STREAM; }
#define CAN_READ (POLLIN | POLLRDNORM)
#define CAN_WRITE (POLLOUT | POLLWRNORM)
/* A third of it is free, as on Linux, so that a writer is not woken for every byte. */
bool socket_writeable(const struct socket *s);
/* The program has read so much of `in`. */
void socket_taken(struct socket *s, u32 n);
/* After others have taken something of what it had sent: tells those who wait for room. */
void socket_has_room(struct socket *s);

/* One datagram: 0, -ENOMEM, -EFAULT. */
u32 record_size(u64 address_size, u64 control_size, u64 size);
int record_put(struct ring *r, const void *address, u32 address_size, struct span *control, u32 control_size, struct span *data);
struct record record_first(const struct ring *r);
/* As Linux has it: one may be longer than all there is room for. */
static inline bool record_fits(const struct ring *r, u32 n) { return !ring_fill(r) || ring_room(r) >= n; }

/* As a call of a socket's waits: -EAGAIN at once or at the deadline. */
#define SOCKET_WAIT(q, condition, nonblocking, deadline) \
    ({ \
        i64 socket_wait_ = (condition) ? 0 : (nonblocking) ? -EAGAIN : WAIT_UNTIL(q, condition, deadline); \
        socket_wait_ == -ETIMEDOUT ? -EAGAIN : socket_wait_ == -ERESTARTSYS && (deadline) != FOREVER ? -ERESTARTNOHAND : socket_wait_; \
    })
static inline u64 socket_deadline(u64 timeout) { return timeout ? clock_now() + timeout : FOREVER; }

/* ---- local sockets (fs/local.c) ---- */

i64 local_pair(u32 type, u32 flags, struct file *ends[2]);
i64 local_bind(struct socket *s, const struct message *name);
i64 local_connect(struct socket *s, const struct message *name, bool nonblocking);
i64 local_listen(struct socket *s, u32 backlog);
i64 local_shutdown(struct socket *s, u32 bits);
void local_close(struct socket *s);
/* Where a datagram goes: a reference. */
i64 local_target(struct socket *s, const struct message *m, struct socket **target);

/* Files on their way (fs/passing.c). */
struct passed {
    struct list link;                           /* in the receiver's list */
    u32 at, end;                                /* the bytes they came with, as positions in its ring */
    u32 count;
    struct file *files[];
};
/* What sendmsg(2) is to pass, taken from m's control messages; NULL if nothing. */
i64 local_collect(struct message *m, struct passed **passed);
void local_pass(struct socket *to, struct passed *p, u32 at, u32 size);
void local_free_passed(struct passed *p);
/* How far a read of n bytes from `offset` on goes at most: to the end of data that files came with. */
u32 local_limit(const struct socket *s, u32 offset, u32 n);
/* Hands out what came with these bytes. */
void local_unpack(struct socket *s, struct message *m, u32 offset, u32 n);

/* ---- sockets that tasks serve (fs/door.c) ---- */

i64 door_call(u64 operation, u64 number, u64 x, u64 y, u64 z);
/* The socket that a request was answered with, for the program now; NULL: there is none, or it has it already. */
struct socket *door_claim(u64 number);
/* Tells services what the program has done. */
void door_changed(struct socket *s, u32 bits);
void door_forget(struct socket *s);
bool door_has_news(void);
/* A program has sent something since it waited last; then doors_look() is due when it waits or polls. */
extern bool doors_sending;
void doors_look(void);
/* Nobody serves them any more. */
void doors_ended(void);
