/* mmap and its kin: checks the arguments, mm/vm.c does the work. */
#include "core/errno.h"
#include "core/string.h"
#include "core/thread.h"
#include "fs/hosted.h"
#include "mm/vm.h"
#include "sys/calls.h"

#define PAGE_MASK (PAGE_SIZE - 1ull)

static bool page_range(u64 start, u64 *length) {
    if (start & PAGE_MASK || *length > USER_END)
        return false;
    *length = ALIGN_UP(*length, PAGE_SIZE);
    return user_range(start, *length);
}

/* A hosted file is mapped as a copy of what it is now. Faults could not fetch it later: the kernel itself
 * cannot wait in one, and who faults may have the interpreter's lock. */
static i64 map_hosted(struct file *f, u64 hint, u64 length, int prot, int flags, u64 offset) {
    i64 error = request_allowed();
    if (error)
        return error;                           /* before a fixed mapping has replaced anything */
    i64 at = vm_map(hint, length, PROT_READ | PROT_WRITE, flags, NULL, 0);
    if (at < 0)
        return at;
    file_get(f);
    error = hosted_fill(f, (u64)at, length, offset);
    file_put(f);
    if (!error)
        error = vm_protect((u64)at, length, prot);
    if (error)
        (void)vm_unmap((u64)at, length);
    return error ? error : at;
}

i64 sys_mmap(u64 hint, u64 length, u64 prot, u64 flags, u64 fd, u64 offset) {
    u32 type = flags & MAP_TYPE;
    flags &= ~(u64)MAP_FILE_READ_ONLY;
    struct inode *inode = NULL;
    if (!length || offset & PAGE_MASK || (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE))
        return -EINVAL;
    if (length > USER_END)
        return -ENOMEM;
    length = ALIGN_UP(length, PAGE_SIZE);
    if (hint & PAGE_MASK) {
        if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
            return -EINVAL;
        hint = ALIGN_DOWN(hint, PAGE_SIZE);
    }
    if (flags & MAP_FIXED) {
        i64 error = requests_await_range(hint, length);
        if (error)
            return error;
    }
    if (!(flags & MAP_ANONYMOUS)) {
        struct file *f = fd_file((int)fd);
        if (!f || f->flags & O_PATH)
            return -EBADF;
        if (f->inode && (f->inode->mode & S_IFMT) == S_IFCHR && f->inode->rdev == (1 << 8 | 5))
            flags |= MAP_ANONYMOUS;             /* /dev/zero: anonymous memory by its old name */
        else if (hosted_type(f) == S_IFREG && (f->flags & O_ACCMODE) != O_WRONLY && !(type != MAP_PRIVATE && prot & PROT_WRITE))
            return map_hosted(f, hint, length, (int)prot, (int)flags, offset);
        else if (!f->inode || !is_regular(f->inode))
            return -ENODEV;
        else if ((f->flags & O_ACCMODE) == O_WRONLY || (type != MAP_PRIVATE && prot & PROT_WRITE && (f->flags & O_ACCMODE) != O_RDWR))
            return -EACCES;
        else if (offset + length < offset)
            return -EOVERFLOW;
        else if (type != MAP_PRIVATE && prot & PROT_WRITE && f->inode->regular.seals & (SEAL_WRITE | SEAL_FUTURE_WRITE))
            return -EPERM;
        else
            inode = f->inode;
        if (inode && ((f->flags & O_ACCMODE) == O_RDONLY || inode->regular.seals & (SEAL_WRITE | SEAL_FUTURE_WRITE)))
            flags |= MAP_FILE_READ_ONLY;
    }
    return vm_map(hint, length, (int)prot, (int)flags, inode, inode ? offset : 0);
}

i64 sys_munmap(u64 start, u64 length) {
    if (!length || !page_range(start, &length))
        return -EINVAL;
    i64 error = requests_await_range(start, length);
    return error ? error : vm_unmap(start, length);
}

i64 sys_mprotect(u64 start, u64 length, u64 prot) {
    if (start & PAGE_MASK || prot & ~(u64)(PROT_READ | PROT_WRITE | PROT_EXEC))
        return -EINVAL;
    if (!page_range(start, &length))
        return -ENOMEM;
    i64 error = requests_await_range(start, length);
    return error || !length ? error : vm_protect(start, length, (int)prot);
}

#define MREMAP_FIXED 2

i64 sys_mremap(u64 old, u64 old_length, u64 new_length, u64 flags, u64 new_address) {
    if (!page_range(old, &old_length) || !new_length || new_length > USER_END || (flags & MREMAP_FIXED && new_address & PAGE_MASK))
        return -EINVAL;
    i64 error = requests_await_range(old, old_length);
    /* While one range is waited for, a request may begin in the other. */
    while (!error && flags & MREMAP_FIXED && requests_have(new_address, new_length)) {
        error = requests_await_range(new_address, new_length);
        if (!error)
            error = requests_await_range(old, old_length);
    }
    return error ? error : vm_remap(old, old_length, ALIGN_UP(new_length, PAGE_SIZE), (int)flags, new_address);
}

i64 sys_brk(u64 wanted) {
    u64 end = vm_brk(0);
    i64 error = wanted && wanted < end ? requests_await_range(wanted, end - wanted) : 0;
    if (error == -EBUSY)
        return (i64)end;                        /* brk has no errors: the end stays where it is */
    return error ? error : (i64)vm_brk(wanted);
}

enum { MADV_WILLNEED = 3, MADV_DONTNEED = 4, MADV_FREE = 8, MADV_DONTFORK = 10, MADV_DODUMP = 17, MADV_COLD = 20, MADV_PAGEOUT = 21 };

i64 sys_madvise(u64 start, u64 length, u64 advice) {
    if (!page_range(start, &length))
        return -EINVAL;
    if (advice == MADV_DONTNEED || advice == MADV_FREE) {
        i64 error = requests_await_range(start, length);
        return error ? error : vm_discard(start, length);
    }
    bool hint = advice <= MADV_WILLNEED || (advice >= MADV_DONTFORK && advice <= MADV_DODUMP) || advice == MADV_COLD || advice == MADV_PAGEOUT;
    return hint ? vm_check_mapped(start, length) : -EINVAL;
}

i64 sys_msync(u64 start, u64 length, u64 flags) {
    if (flags & ~7ull || !page_range(start, &length))
        return -EINVAL;
    return vm_check_mapped(start, length);      /* shared mappings are the file's own pages */
}

i64 sys_mincore(u64 start, u64 length, u64 to) {
    if (!page_range(start, &length))
        return -EINVAL;
    i64 error = vm_check_mapped(start, length);
    u8 resident[256];
    memset(resident, 1, sizeof resident);
    for (u64 left = length >> PAGE_SHIFT, n; !error && left; left -= n, to += n) {
        n = min_u64(left, sizeof resident);
        error = copy_to_user(to, resident, n);
        preemption_point();
    }
    return error;
}

/* Nothing is ever paged out. */
i64 sys_mlock(u64 start, u64 length) { return vm_check_mapped(ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(length, PAGE_SIZE)); }

i64 sys_memfd_create(u64 name, u64 flags) {
    char text[250];
    i64 n = copy_string_from_user(text, name, sizeof text);
    if (n < 0)
        return n == -ENAMETOOLONG ? -EINVAL : n;
    if (flags & ~3ull)                          /* MFD_CLOEXEC, MFD_ALLOW_SEALING */
        return -EINVAL;
    struct inode *i = inode_new(S_IFREG | 0777);
    struct file *f = i ? inode_open(i, O_RDWR) : NULL;
    if (!f)
        return -ENOMEM;
    i->regular.seals = flags & 2 ? 0 : SEAL_SEAL;
    return fd_install(f, 0, flags & 1);
}
