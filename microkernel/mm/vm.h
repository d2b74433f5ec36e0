/* The program's address space: regions (VMAs) with their permissions and what backs them, page faults,
 * and the account of memory promised to it. */
#pragma once

#include "core/avl.h"
#include "core/types.h"

struct inode;
struct page;

enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum {
    MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_TYPE = 15, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
    MAP_GROWSDOWN = 0x100, MAP_NORESERVE = 0x4000, MAP_STACK = 0x20000, MAP_FIXED_NOREPLACE = 0x100000,
};

struct vma {
    struct avl_node node;
    u64 start, end;
    /* Cached over the subtree: its extent, and the widest gap between two regions inside. */
    u64 tree_start, tree_end, tree_gap;
    u8 prot;
    bool shared;
    bool read_only;                             /* of a file not opened for writing: may not become writable */
    bool charged;                               /* its private pages were promised (pmm_promise) */
    bool lazy;                                  /* MAP_STACK, MAP_NORESERVE: given when touched, not promised */
    struct inode *inode;                        /* NULL: anonymous */
    u64 offset;                                 /* of `start` in the file, bytes */
};

/* All take page-aligned, in-range values from sys/memory.c; addresses or 0, or minus errno. */
#define MAP_FILE_READ_ONLY 0x40000000           /* ours, with MAP_SHARED: the file is open for reading only */
i64 vm_map(u64 hint, u64 length, int prot, int flags, struct inode *inode, u64 offset);
int vm_unmap(u64 start, u64 length);
int vm_protect(u64 start, u64 length, int prot);
i64 vm_remap(u64 old, u64 old_length, u64 new_length, int flags, u64 new_address);
/* Gives the pages back; they read as zeros (or the file) again. -ENOMEM where nothing is mapped. */
int vm_discard(u64 start, u64 length);
/* Pages [from, to) of a file are going: mappings of them are emptied, private copies only if asked for. */
void vm_file_cut(const struct inode *i, u64 from, u64 to, bool private_too);
u64 vm_brk(u64 wanted);
void vm_set_brk(u64 start);
/* -ENOMEM if any part is unmapped. */
int vm_check_mapped(u64 start, u64 length);

enum fault_access { FAULT_READ, FAULT_WRITE, FAULT_EXEC };
/* 0: retry the instruction. SIGSEGV or SIGBUS otherwise, with the si_code. */
int vm_fault(u64 address, enum fault_access access, int *code);

/* Gives a page of zeros where a file that was mapped has got shorter; false without memory. */
bool vm_fill_hole(u64 address);
/* Would an access succeed without a fault? */
bool page_usable(u64 address, bool write);

struct vma *vm_find(u64 address);               /* the region around an address, or NULL */
struct vma *vma_at_or_after(u64 address);       /* the first region that ends behind it, or NULL */
struct vma *vm_first(void);
struct vma *vm_next(struct vma *v);

struct vm_statistics { u64 mapped, resident; };
struct vm_statistics vm_statistics(void);
