#include "fs/hosted.h"

#include "core/errno.h"
#include "core/string.h"
#include "fs/device.h"
#include "mm/kmalloc.h"

struct hosted {
    struct inode *mount;                        /* of a device: its node */
    u64 handle;
    u32 number, mode;                           /* of the mount; of the file */
    bool moving;                                /* a call is using the file's position */
    struct waitqueue position_queue;
    struct request release;
};

u32 hosted_type(const struct file *f) { return is_hosted(f) ? ((const struct hosted *)f->data)->mode & S_IFMT : 0; }

u64 hosted_handle(const struct file *f) { return ((const struct hosted *)f->data)->handle; }

struct request request_at_path(struct path *p) {
    return (struct request){.path = p, .event = {.mount = p->mount->directory.mount, .base = p->base, .path = (u64)p->name, .path_length = (u32)strlen(p->name)}};
}

struct request request_at_file(const struct file *f) {
    const struct hosted *h = f->data;
    return (struct request){.event = {.mount = h->number, .base = h->handle}};
}

void hosted_base(const struct file *f, struct path *p) {
    const struct hosted *h = f->data;
    p->mount = inode_get(h->mount);
    p->base = h->handle;
    p->name = p->buffer;
}

static void set_buffer(struct request *r, const void *at, u64 size, bool writable) {
    r->event.buffer = (u64)at;
    r->event.buffer_size = size;
    r->event.writable = writable;
}

/* ---- opening and closing ---- */

static void released(struct request *r) {
    struct hosted *h = container_of(r, struct hosted, release);
    inode_put(h->mount);
    kfree(h);
}

static void release(struct file *f) {
    struct hosted *h = f->data;
    h->release = request_at_file(f);
    h->release.finished = released;
    request_post(&h->release, REQUEST_RELEASE);
}

/* What is opened is not the task's: a file that is open already, or a device whose node is the task's and
 * whose driver is the kernel's own. */
static i64 open_other(u64 what, u32 flags, struct file **file) {
    u32 mode = (u32)what, rdev = (u32)(what >> 32);
    if (what & OPENED_DESCRIPTOR) {
        struct file *f = fd_file((int)mode);
        *file = f ? file_get(f) : NULL;
        return f ? 0 : -ENOENT;
    }
    struct inode *node = inode_new(mode);
    i64 error = node ? device_open(rdev, flags, file) : -ENOMEM;
    if (error) {
        if (node)
            inode_reap(node);
        return error;
    }
    node->rdev = rdev;
    (*file)->inode = inode_get(node);
    return 0;
}

/* `owner` is the mount, or the node of a device; it is taken over, and the request's path. */
static i64 open_hosted(struct request *r, struct inode *owner, u32 flags, u32 mode, struct file **file) {
    u32 kept = flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
    struct hosted *h = kzalloc(sizeof *h);
    struct file *f = h ? file_new(&hosted_ops, kept, h) : NULL;
    i64 handle = f ? request(r, REQUEST_OPEN, flags, mode, r->path ? 0 : owner->rdev) : -ENOMEM;
    if (f && handle > 0) {
        h->mount = owner;
        h->handle = (u64)handle;
        h->number = r->event.mount;
        h->mode = (u32)r->extra;
        waitqueue_init(&h->position_queue);
        *file = f;
        return 0;
    }
    inode_put(owner);
    if (r->path)
        path_release(r->path);                  /* there was no memory to ask */
    kfree(f);
    kfree(h);
    return handle ? handle : open_other(r->extra, kept, file);
}

i64 hosted_open(struct path *p, u32 flags, u32 mode, struct file **file) {
    struct request r = request_at_path(p);
    return open_hosted(&r, inode_get(p->mount), flags, mode, file);
}

i64 hosted_open_device(struct inode *node, u32 flags, struct file **file) {
    struct request r = {.event = {.mount = MOUNT_DEVICES}};
    return open_hosted(&r, inode_get(node), flags, node->mode, file);
}

i64 hosted_flush(struct file *f) {
    if (!services_thread)
        return 0;                               /* at their end they have closed it */
    struct request r = request_at_file(f);
    return request(&r, REQUEST_FLUSH, 0, 0, 0);
}

/* ---- content ---- */

/* What a task is asked for at a time: all of it is touched before, with interrupts off. */
#define PIECE (1ull << 20)

static i64 move(struct file *f, struct span *s, u64 *position, enum request_operation operation) {
    struct hosted *h = f->data;
    bool append = operation == REQUEST_WRITE && f->flags & O_APPEND;
    i64 done = 0, n;
    if ((h->mode & S_IFMT) == S_IFDIR)
        return -EISDIR;
    do {
        if (s->left && span_stretch(s))
            return done ? done : -EFAULT;
        u64 piece = min_u64(s->left - s->later, PIECE);
        struct request r = request_at_file(f);
        set_buffer(&r, (const void *)s->at, piece, operation == REQUEST_READ);
        n = piece ? request(&r, operation, *position, append, 0) : 0;
        if (n <= 0)
            break;
        n = (i64)min_u64((u64)n, piece);
        s->at += (u64)n;
        s->left -= (u64)n;
        done += n;
        *position = append ? r.extra : *position + (u64)n;
        if ((u64)n < piece)
            break;
    } while (s->left);
    return done ? done : n;
}

static bool takes_turns(const struct hosted *h) { return (h->mode & S_IFMT) == S_IFREG || (h->mode & S_IFMT) == S_IFDIR; }

i64 hosted_take_turn(struct file *f) {
    struct hosted *h = f->data;
    if (!takes_turns(h))
        return 0;
    i64 error = h->moving ? request_allowed() : 0;
    if (!error)
        error = WAIT_UNTIL(&h->position_queue, !h->moving, FOREVER);
    h->moving |= !error;
    return error;
}

void hosted_end_turn(struct file *f) {
    struct hosted *h = f->data;
    if (!takes_turns(h))
        return;
    h->moving = false;
    waitqueue_wake(&h->position_queue, 0);
}

static i64 move_in_turn(struct file *f, struct span *s, u64 *position, enum request_operation operation) {
    if (position != &f->position)
        return move(f, s, position, operation);
    i64 error = hosted_take_turn(f);
    if (error)
        return error;
    i64 n = move(f, s, position, operation);
    hosted_end_turn(f);
    return n;
}

static i64 read_hosted(struct file *f, struct span *to, u64 *position) { return move_in_turn(f, to, position, REQUEST_READ); }
static i64 write_hosted(struct file *f, struct span *from, u64 *position) { return move_in_turn(f, from, position, REQUEST_WRITE); }

i64 hosted_list(struct file *f, u64 buffer, size_t size) {
    struct request r = request_at_file(f);
    if (!user_range(buffer, size = min_u64(size, PIECE)))
        return -EFAULT;
    set_buffer(&r, (const void *)buffer, size, true);
    i64 n = hosted_take_turn(f);
    if (n)
        return n;
    file_get(f);
    n = request(&r, REQUEST_LIST, f->position, 0, 0);
    if (n >= 0)
        f->position = r.extra;
    hosted_end_turn(f);
    file_put(f);
    return n;
}

i64 hosted_fill(struct file *f, u64 at, u64 length, u64 offset) {
    u64 done = 0;
    while (done < length) {
        struct request r = request_at_file(f);
        set_buffer(&r, (const void *)(at + done), min_u64(length - done, PIECE), true);
        i64 n = request(&r, REQUEST_READ, offset + done, 0, 0);
        if (n < 0)
            return n;
        if (!n)
            break;                              /* the end of the file: zeros follow */
        done += (u64)n;
    }
    return 0;
}

/* ---- the rest ---- */

/* What the argument of a block device's command points to, which the task stores into or reads. */
static u64 block_argument(u32 command, bool *writable) {
    *writable = true;
    switch (command) {
    case 0x125e: case 0x1268: case 0x1278: case 0x1279: case 0x127a: case 0x127b: case 0x80081270:
        return 4;                               /* BLKROGET, SSZGET, IOMIN, IOOPT, ALIGNOFF, PBSZGET, BSZGET: int */
    case 0x1260: case 0x80081272:
        return 8;                               /* BLKGETSIZE, BLKGETSIZE64 */
    case 0x1277: case 0x127f:
        *writable = false;
        return 16;                              /* BLKDISCARD, BLKZEROOUT: where and how much */
    }
    return 0;
}

static i64 control(struct file *f, u32 command, u64 argument) {
    struct request r = request_at_file(f);
    bool writable;
    u64 size = hosted_type(f) == S_IFBLK ? block_argument(command, &writable) : 0;
    if (size && !user_range(argument, size))
        return -EFAULT;
    if (size)
        set_buffer(&r, (const void *)argument, size, writable);
    return request(&r, REQUEST_IOCTL, command, argument, 0);
}

i64 hosted_path(const struct file *f, char *to, size_t size) {
    const struct hosted *h = f->data;
    struct request r = request_at_file(f);
    i64 n = directory_path(h->mount, to, size);
    if (n < 0)
        return n;
    u64 room = size - (u64)n;
    set_buffer(&r, to + n - 1, room, true);
    i64 more = request(&r, REQUEST_PATH, 0, 0, 0);
    if (more < 0 || (u64)more >= room)
        return more < 0 ? more : -ERANGE;
    n += more == 1 ? -1 : more - 1;             /* the mount's root is "/", which the mount point's name has not */
    to[n] = 0;
    return n + 1;
}

const struct file_ops hosted_ops = {
    .name = "hosted", .seekable = true, .read = read_hosted, .write = write_hosted, .ioctl = control, .release = release,
};
