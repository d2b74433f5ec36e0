/* Hosted files: what lies below a mount point, served by tasks in Python. The kernel keeps descriptors and
 * positions; everything else is a request. */
#pragma once

#include "fs/inode.h"
#include "sys/request.h"

extern const struct file_ops hosted_ops;
static inline bool is_hosted(const struct file *f) { return f->ops == &hosted_ops; }
/* S_IF* of a hosted file, 0 of any other. */
u32 hosted_type(const struct file *f);
/* What the task knows it by. */
u64 hosted_handle(const struct file *f);

/* Requests about a resolved path below a mount point (taken over), or about an open file. */
struct request request_at_path(struct path *p);
struct request request_at_file(const struct file *f);
/* Below f's directory; what of p is set here says so. */
void hosted_base(const struct file *f, struct path *p);
/* Opens what is at the path (taken over). */
i64 hosted_open(struct path *p, u32 flags, u32 mode, struct file **file);
/* Opens a device that is not the kernel's own: a task's, if any has registered it. */
i64 hosted_open_device(struct inode *node, u32 flags, struct file **file);
/* Calls that use the position of a regular file or directory take turns (POSIX, 2.9.7): 0, or minus errno and
 * no turn. A device is read and written at the same time. */
i64 hosted_take_turn(struct file *f);
void hosted_end_turn(struct file *f);
i64 hosted_list(struct file *f, u64 buffer, size_t size);
/* At close(2) of a file that may have been written: what went wrong with that. */
i64 hosted_flush(struct file *f);
/* The absolute path of a directory, as directory_path. */
i64 hosted_path(const struct file *f, char *to, size_t size);
/* Fills [at, at + length) of the program's memory with the file's content from `offset` on. */
i64 hosted_fill(struct file *f, u64 at, u64 length, u64 offset);
