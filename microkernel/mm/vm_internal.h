/* Between the files of the address space: the tree of regions (vma.c), mapping calls (vm.c), pages
 * (fault.c). */
#pragma once

#include "mm/vm.h"

#define STACK_TOP_GAP 0x1000000

void vma_link(struct vma *v);
void vma_unlink(struct vma *v);
void vma_resized(struct vma *v);
/* Cuts a region in two at an address inside it: the upper part, or NULL without memory. */
struct vma *vma_split(struct vma *v, u64 at);
/* Joins with the neighbours where nothing tells them apart. */
struct vma *vma_merge(struct vma *v);
void vma_free(struct vma *v);
/* The highest gap of this length below `limit`; 0 if none. */
u64 vma_find_gap(u64 length, u64 align, u64 limit);
/* Makes region boundaries at both ends of a range: 0 or -ENOMEM. */
int vma_isolate(u64 start, u64 end);

/* If the address is inside a 2 MiB page, makes small ones of it, so that what follows can neither fail nor
 * touch more than its range: 0 or -ENOMEM. */
int pages_split_at(u64 address);
int pages_split_range(u64 start, u64 end);

/* Pages of a stretch of one region. */
u64 pages_drop(u64 start, u64 end);             /* returns how many private pages were freed */
u64 pages_count_private(u64 start, u64 end);
void pages_protect(struct vma *v, u64 start, u64 end);
int pages_move(u64 from, u64 to, u64 length);

extern struct vm_statistics vm_counts;
