/* The system calls, one function each: arguments as the registers have them, result 0 or more, or minus
 * errno. Prototypes come from the table. */
#ifndef SYS_CALLS_H
#define SYS_CALLS_H

#include "core/types.h"
#include "fs/file.h"

#define CALL0(number, name) i64 sys_##name(void);
#define CALL1(number, name) i64 sys_##name(u64);
#define CALL2(number, name) i64 sys_##name(u64, u64);
#define CALL3(number, name) i64 sys_##name(u64, u64, u64);
#define CALL4(number, name) i64 sys_##name(u64, u64, u64, u64);
#define CALL5(number, name) i64 sys_##name(u64, u64, u64, u64, u64);
#define CALL6(number, name) i64 sys_##name(u64, u64, u64, u64, u64, u64);
#define REFUSE(number, name, error)
#include "sys/table.h"
#undef CALL0
#undef CALL1
#undef CALL2
#undef CALL3
#undef CALL4
#undef CALL5
#undef CALL6
#undef REFUSE

/* ovum's own calls, numbers from OVUM_CALLS on (sys/ovum.c). */
#define OVUM_CALLS 0x4f5600
i64 ovum_call(u64 number, u64 a, u64 b, u64 c);

/* A struct timespec of the caller as a monotonic deadline. */
i64 deadline_from_user(u64 from, bool absolute, bool wall, u64 *deadline);

/* CPU time of all threads, living and gone. */
u64 process_cpu_time(void);
extern u64 process_exited_cpu_ns;

/* The page the vDSO reads, as the kernel sees it (sys/exec.c). */
void *vdso_data_page(void);

/* Names relative to a directory descriptor (AT_FDCWD: the working directory). */
#define AT_FDCWD (-100)
struct inode *directory_at(int fd, i64 *error);

/* open(2) below an absolute or relative kernel string. */
i64 open_path(int dirfd, const char *path, u32 flags, u32 mode, struct file **file);
extern u32 creation_mask;

#endif
