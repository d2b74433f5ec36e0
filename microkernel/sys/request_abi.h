/* What the kernel and the services thread say to each other: system calls as messages, interrupts, the power
 * button. Included by pyhost, too; services/vfs/operations.py has the same numbers. */
#pragma once

#include <stdint.h>

/* What a task is asked to do. `base` is a handle that `path` is relative to (0: the mount's root), or the
 * open file itself where no path is; the rest is in docs/services.md. */
enum request_operation {
    REQUEST_OPEN, REQUEST_RELEASE, REQUEST_FLUSH, REQUEST_STAT, REQUEST_ACCESS, REQUEST_CHMOD, REQUEST_CHOWN, REQUEST_UTIMENS,
    REQUEST_TRUNCATE, REQUEST_STATFS, REQUEST_READLINK, REQUEST_MKDIR, REQUEST_MKNOD, REQUEST_SYMLINK, REQUEST_LINK, REQUEST_UNLINK,
    REQUEST_RMDIR, REQUEST_RENAME, REQUEST_READ, REQUEST_WRITE, REQUEST_LIST, REQUEST_SYNC, REQUEST_ALLOCATE, REQUEST_LOCK,
    REQUEST_SEEK, REQUEST_PATH, REQUEST_IOCTL,
    REQUEST_SOCKET, REQUEST_BIND, REQUEST_CONNECT, REQUEST_LISTEN, REQUEST_SHUTDOWN, REQUEST_NAME, REQUEST_GET_OPTION, REQUEST_SET_OPTION,
    REQUEST_SOCKET_IOCTL, REQUEST_DESTINATION,
};

/* Mounts that have their numbers from the beginning: /proc, the devices whose drivers are tasks, and sockets.
 * These are no mounts of names: OPEN of a device has no path, and the device's number in c; `base` of what is
 * asked about a socket is the socket's number. */
enum { MOUNT_PROC = 1, MOUNT_DEVICES = 2, MOUNT_NETWORK = 3 };

/* An OPEN that is answered with handle 0 opens something else: a device of the kernel's own (its number in
 * the upper half of `extra`, its mode in the lower), or again what this descriptor is. */
#define OPENED_DESCRIPTOR (1ull << 63)

/* How much a SYNC is to write: a file, only its data, its file system, all file systems. */
enum { SYNC_FILE, SYNC_DATA, SYNC_FILE_SYSTEM, SYNC_ALL };

/* Attributes of the last component itself, were it a symbolic link. */
#define REQUEST_NOFOLLOW 1

enum service_event_kind {
    EVENT_REQUEST = 1,
    EVENT_CANCEL,                   /* the caller of request `number` no longer wants it */
    EVENT_INTERRUPT,                /* a: line, b: how many since the last event, c: time of the first (monotonic ns) */
    EVENT_POWER_BUTTON,
    EVENT_LOG,                      /* the log has grown since somebody has read all of it */
    EVENT_SCREEN,                   /* the console has shown more since somebody has read all of it */
    EVENT_SOCKETS,                  /* there are sockets for DOOR_CHANGED */
};

/* As wait() stores them. Addresses are the kernel's, or the caller's own memory, and stay good until the
 * request is completed. */
struct service_event {
    uint32_t kind, operation;
    uint64_t number;
    uint32_t mount, mount2;
    uint64_t base, base2, a, b, c;
    uint64_t path, path2;
    uint32_t path_length, path2_length;
    uint64_t buffer, buffer_size;
    uint32_t writable, thread;
};

/* Results of complete() beyond errno: the call starts again with another path (the first or the second). */
#define COMPLETE_REDIRECT (-4096)
#define COMPLETE_REDIRECT_SECOND (-4097)

/* Why the hook is called, in place of a signal's number; its ucontext is the system call's. */
enum request_hook_reason { HOOK_RELEASE_GIL = 1, HOOK_DEADLOCK };

/* What services do with a socket: socket(operation, number, x, y, z), the operation's arguments in that order.
 * NEW(door, family, type | protocol << 32, address): the socket's number; stores where its rings are (fs/ring.h):
 * what it receives, then what it sends. CHANGED(to, count): how many struct door_change were stored.
 * MEMORY(limit): what the rings of all streams hold; sets what they may hold (fs/ring.h), unless it is 0. */
enum door_operation {
    DOOR_NEW, DOOR_CHANGED, DOOR_MEMORY,
    DOOR_DELIVER,                   /* data, size */
    DOOR_DELIVER_MESSAGE,           /* struct door_message */
    DOOR_DELIVER_ERROR,             /* struct door_message, its first control message a struct sock_extended_err */
    DOOR_NOTIFY_FREE,               /* count */
    DOOR_PEEK,                      /* offset, to, size */
    DOOR_TAKE_MESSAGE,              /* struct door_message, its sizes those of the ring's struct record */
    DOOR_DISCARD,                   /* count */
    DOOR_SET_STATE,                 /* add, remove, error */
    DOOR_QUEUE_CHILD,               /* number of the child, address, its size */
    DOOR_SET_LIMITS,                /* receive, send, backlog */
    DOOR_RELEASE,
};

/* Bits of a socket's state, and of what its program has done with it; net/socket/door.py says what they mean. */
enum { CONNECTED = 1, PEER_CLOSED = 2, WRITE_SHUT = 4, READ_SHUT = 8, HUNG_UP = 16, LISTENING = 32, STATE_BITS = 63 };
enum { SOCKET_SENT = 1, SOCKET_TAKEN = 2, SOCKET_CLOSED = 4, SOCKET_ACCEPTED = 8, SOCKET_UNACCEPTED = 16 };

struct door_change {
    uint64_t door, bits;
};

struct door_message {
    uint64_t data, address, control;
    uint32_t size, address_size, control_size;
};

#define SOCKET_ADDRESS_MAX 128
#define SOCKET_CONTROL_MAX 1024

/* At the head of each datagram of a ring: address, control messages and data follow, up to a multiple of 8. */
struct record {
    uint32_t size;
    uint16_t address_size, control_size;
};
