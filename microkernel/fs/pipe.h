/* Byte channels with a reader's and a writer's end: pipes and FIFOs. */
#pragma once

#include "fs/file.h"
#include "fs/ring.h"

struct pipe {
    struct ring ring;
    u32 readers, writers;
    u32 refs;
    struct waitqueue readable, writable;
};

#define PIPE_CAPACITY 65536

static inline u32 pipe_fill(const struct pipe *p) { return ring_fill(&p->ring); }

struct pipe *pipe_new(void);
void pipe_put(struct pipe *p);                  /* NULL is harmless */
i64 pipe_read(struct pipe *p, struct span *to, bool nonblocking);
i64 pipe_write(struct pipe *p, struct span *from, bool nonblocking);
void pipe_close_reader(struct pipe *p);
void pipe_close_writer(struct pipe *p);

/* Of a file whose data is a pipe. */
u32 pipe_poll(struct file *f, struct waitqueue *queues[2]);
i64 pipe_ioctl(struct file *f, u32 command, u64 argument);

/* Both ends of a new pipe: 0, -ENOMEM. */
int pipe_open(struct file **reader, struct file **writer, u32 flags);
/* An end of a FIFO, by the open flags; waits for the other end as POSIX says. */
i64 fifo_open(struct inode *inode, u32 flags, struct file **file);
/* F_GETPIPE_SZ and F_SETPIPE_SZ; -EBADF if the file is no pipe. */
i64 pipe_size(struct file *f, u64 wanted);
