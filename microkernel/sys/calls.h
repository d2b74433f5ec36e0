/* The system calls, one function each: arguments as the registers have them, result 0 or more, or minus
 * errno. Prototypes come from the table. */
#pragma once

#include "core/types.h"
#include "fs/inode.h"

#define CALL0(number, name) i64 sys_##name(void);
#define CALL1(number, name) i64 sys_##name(u64);
#define CALL2(number, name) i64 sys_##name(u64, u64);
#define CALL3(number, name) i64 sys_##name(u64, u64, u64);
#define CALL4(number, name) i64 sys_##name(u64, u64, u64, u64);
#define CALL5(number, name) i64 sys_##name(u64, u64, u64, u64, u64);
#define CALL6(number, name) i64 sys_##name(u64, u64, u64, u64, u64, u64);
#define IS(number, name, expression)
#define REFUSE(number, name, error)
#include "sys/table.h"
#undef CALL0
#undef CALL1
#undef CALL2
#undef CALL3
#undef CALL4
#undef CALL5
#undef CALL6
#undef IS
#undef REFUSE

/* ovum's own calls, numbers from OVUM_CALLS on (sys/ovum.c). */
#define OVUM_CALLS 0x4f5600
i64 ovum_call(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e);

/* The text of a topic about the kernel's state: its length (sys/inspect.c). */
i64 inspect(u64 what, u64 to, u64 size);

/* A struct timespec of the caller as a monotonic deadline. */
i64 deadline_from_user(u64 from, bool absolute, bool wall, u64 *deadline);

/* CPU time of all threads, living and gone. */
u64 process_cpu_time(void);
extern u64 process_exited_cpu_ns;

/* Loads /init and makes its first thread and its standard files (sys/exec.c). Panics with a readable reason if
 * there is none or it is bad. */
struct thread *exec_init(void);

/* The name that the command line gives the machine. */
void system_init(void);

i64 futex_wake(u64 address, u32 count, u32 bitset);

/* The page the vDSO reads, as the kernel sees it (sys/exec.c). */
void *vdso_data_page(void);

/* Names relative to a directory descriptor (AT_FDCWD: the working directory). */
#define AT_FDCWD (-100)
enum { AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400, AT_EMPTY_PATH = 0x1000 };
#define AT_NULL_NAME (1ull << 32)               /* ours: no path at all, the descriptor is meant */
/* Resolves a path of the caller's; to be released with path_release unless an error was returned. */
i64 path_at(u64 dirfd, u64 name, unsigned flags, struct path **result);
/* The same of the text that is in p->buffer; p stays the caller's. */
i64 path_text_at(u64 dirfd, struct path *p, unsigned flags);
/* Gives a new inode (NULL: there was no memory) the resolved name; it goes when that fails. */
i64 path_create(struct path *p, struct inode *i);
/* What several calls do, with a path or with a descriptor. */
i64 change_mode(u64 dirfd, u64 name, u64 mode, u64 at_flags);
extern struct file *working_directory;
i64 change_directory(struct file *to);          /* -ENOTDIR */
i64 synchronize(u64 fd, u64 what);
i64 sys_brk(u64 wanted);
i64 file_system(u64 dirfd, u64 name, u64 at_flags, u64 to);

/* openat(2) but for the descriptor. */
i64 file_at(u64 dirfd, u64 name, u32 flags, u32 mode, struct file **file);
/* An open file of this directory or regular file, or one opened with O_PATH. NULL without memory; what has no
 * name then goes. */
struct file *inode_open(struct inode *i, u32 flags);
extern u32 creation_mask;
