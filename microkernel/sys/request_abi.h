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
};

/* Mounts that have their numbers from the beginning: /proc, and the devices whose drivers are tasks. These are
 * no mount of names: OPEN has no path, and the device's number in c. */
enum { MOUNT_PROC = 1, MOUNT_DEVICES = 2 };

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
